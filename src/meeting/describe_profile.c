/* SPDX-License-Identifier: Apache-2.0 */
/* Profiles: what those who join, and calls, are held to. */
#include "meeting/describe_internal.h"

static const char *const feature_words[] = { "disabled", "manual", "automatic", NULL };
static const char *const lync_words[] = { "gateway", "dualHomeCluster", "dualHomeCallBridge",
	                                  NULL };
static const char *const payload_words[] = { "auto", "broadsoft", NULL };
static const char *const chrome_codec_words[] = { "auto", "avoidH264", NULL };
static const char *const chrome_h264_words[] = { "auto", "none", NULL };
static const char *const chp_words[] = { "auto", "basic", NULL };
static const char *const enabled_words[] = { "disabled", "enabled", NULL };
static const char *const resolve_words[] = { "off", "domainSuggestionDisabled",
	                                     "domainSuggestionEnabled", NULL };

static const char *const deactivation_words[] = { "deactivate", "disconnect", "remainActivated",
	                                          NULL };
static const char *const encryption_words[] = { "optional", "required", "prohibited", NULL };
static const char *const gain_words[] = { "agc", "disabled", NULL };
static const char *const lock_words[] = { "all", "needsActivation", NULL };
static const char *const counter_words[] = { "never", "auto", "always", NULL };
static const char *const title_words[] = { "disabled", "top", "middle", "bottom", NULL };
static const char *const video_mode_words[] = { "auto", "disabled", NULL };
static const char *const quality_words[] = { "unrestricted", "max1080p30", "max720p30",
	                                     "max480p30", NULL };
static const char *const quality_presentation_words[] = { "unrestricted", "max1080p30",
	                                                  "max720p5", NULL };
static const char *const presentation_words[] = { "dualStream", "singleStream", NULL };
static const char *const bfcp_words[] = { "serverOnly", "serverAndClient", NULL };
static const char *const passcode_words[] = { "required", "timeout", NULL };

#define PROFILE_BOOL(name_, fallback_, help_) \
	{ name_,         .kind = FIELD_BOOL, .max = 1, .fallback = fallback_, \
	  .flags = USUAL, .help = help_ }

#define PROFILE_LACKING(name_, help_) BOOL_ROW(name_, 0, USUAL | FIELD_LACKING, help_)

const struct field leg_profile_fields[] = {
	[LEG_PROFILE_NAME] = { "name", .kind = FIELD_TEXT, .max = NAME_BYTES,
	                       .flags = USUAL_LIST | FIELD_FILTER, .help = "For administrators." },
	[LEG_PROFILE_NEEDS_ACTIVATION] =
		PROFILE_BOOL("needsActivation", 0, "Waits in the lobby until an activator is in."),
	[LEG_PROFILE_DEACTIVATION_MODE] = { "deactivationMode", .kind = FIELD_ENUM,
	                                    .words = deactivation_words, .max = DEACTIVATE_REMAIN,
	                                    .flags = USUAL,
	                                    .help = "What happens to who needs activation when the "
	                                            "last activator leaves." },
	[LEG_PROFILE_DEACTIVATION_TIME] = { "deactivationModeTime", .kind = FIELD_UINT,
	                                    .max = 86400, .flags = USUAL,
	                                    .help = "Seconds until it does." },
	[LEG_PROFILE_END_CALL_ALLOWED] =
		PROFILE_BOOL("endCallAllowed", 0, "May end the call for all."),
	[LEG_PROFILE_DISCONNECT_OTHERS_ALLOWED] =
		PROFILE_BOOL("disconnectOthersAllowed", 0, "May drop others."),
	[LEG_PROFILE_CALL_LOCK_ALLOWED] =
		PROFILE_BOOL("callLockAllowed", 0, "May lock, unlock and admit."),
	[LEG_PROFILE_MUTE_OTHERS_ALLOWED] =
		PROFILE_BOOL("muteOthersAllowed", 0, "May mute others."),
	[LEG_PROFILE_MUTE_SELF_ALLOWED] =
		PROFILE_BOOL("muteSelfAllowed", 1, "May mute and unmute itself."),
	[LEG_PROFILE_RX_AUDIO_MUTE] =
		PROFILE_BOOL("rxAudioMute", 0, "Others do not hear this leg."),
	[LEG_PROFILE_TX_AUDIO_MUTE] =
		PROFILE_BOOL("txAudioMute", 0, "This leg hears nobody."),
	[LEG_PROFILE_JOIN_TONE] = { "joinToneParticipantThreshold", .kind = FIELD_UINT,
	                            .max = TONE_PARTICIPANTS, .flags = USUAL,
	                            .help = "Hears a tone for who joins while no more than so many "
	                                    "are in; 0: never." },
	[LEG_PROFILE_LEAVE_TONE] = { "leaveToneParticipantThreshold", .kind = FIELD_UINT,
	                             .max = TONE_PARTICIPANTS, .flags = USUAL,
	                             .help = "The same for who leaves." },
	[LEG_PROFILE_SIP_ENCRYPTION] = { "sipMediaEncryption", .kind = FIELD_ENUM,
	                                 .words = encryption_words,
	                                 .max = SIP_ENCRYPTION_PROHIBITED,
	                                 .flags = USUAL, .help = "SRTP on SIP legs." },
	[LEG_PROFILE_PACKET_MS] = { "audioPacketSizeMs", .kind = FIELD_UINT, .min = 10, .max = 60,
	                            .fallback = 20, .flags = USUAL,
	                            .help = "Sound in one packet sent to the leg." },
	[LEG_PROFILE_GAIN_MODE] = { "audioGainMode", .kind = FIELD_ENUM, .words = gain_words,
	                            .max = GAIN_DISABLED, .flags = USUAL,
	                            .help = "Automatic gain control of what the leg sends." },
	[LEG_PROFILE_MAX_DURATION] = { "maxCallDurationTime", .kind = FIELD_UINT,
	                               .max = 366 * 86400, .flags = USUAL,
	                               .help = "Seconds until the leg is dropped; 0: never." },
	[LEG_PROFILE_DEFAULT_LAYOUT] = { "defaultLayout", .kind = FIELD_ENUM,
	                                 .words = layout_words, .max = LAYOUT_COUNT - 1,
	                                 .fallback = LAYOUT_AUTOMATIC, .flags = USUAL,
	                                 .help = "Layout of the picture composed for the leg, until "
	                                         "another is chosen." },
	[LEG_PROFILE_LAYOUT_TEMPLATE] = { "layoutTemplate", .kind = FIELD_GUID,
	                                  .ref = OBJECT_LAYOUT_TEMPLATE, .flags = USUAL,
	                                  .help = "A layout of one's own, in place of "
	                                          "defaultLayout." },
	[LEG_PROFILE_CHANGE_LAYOUT_ALLOWED] =
		PROFILE_BOOL("changeLayoutAllowed", 1, "May choose another layout for itself."),
	[LEG_PROFILE_LABELS] =
		PROFILE_BOOL("participantLabels", 0, "Names stand in the panes."),
	[LEG_PROFILE_COUNTER] = { "participantCounter", .kind = FIELD_ENUM,
	                          .words = counter_words, .max = COUNTER_ALWAYS,
	                          .fallback = COUNTER_AUTO, .flags = USUAL,
	                          .help = "How many are not shown is said never, when there are any, "
	                                  "or always." },
	[LEG_PROFILE_TITLE_POSITION] = { "meetingTitlePosition", .kind = FIELD_ENUM,
	                                 .words = title_words, .max = TITLE_BOTTOM, .flags = USUAL,
	                                 .help = "Where the call's name is shown." },
	[LEG_PROFILE_RX_VIDEO_MUTE] =
		PROFILE_BOOL("rxVideoMute", 0, "Others do not see this leg's camera."),
	[LEG_PROFILE_TX_VIDEO_MUTE] =
		PROFILE_BOOL("txVideoMute", 0, "This leg sees nobody."),
	[LEG_PROFILE_VIDEO_MODE] = { "videoMode", .kind = FIELD_ENUM, .words = video_mode_words,
	                             .max = VIDEO_MODE_DISABLED, .flags = USUAL,
	                             .help = "Whether the leg has pictures at all." },
	[LEG_PROFILE_QUALITY_MAIN] = { "qualityMain", .kind = FIELD_ENUM,
	                               .words = quality_words, .max = QUALITY_480P30,
	                               .flags = USUAL,
	                               .help = "Largest camera picture, sent and received." },
	[LEG_PROFILE_QUALITY_PRESENTATION] = { "qualityPresentation", .kind = FIELD_ENUM,
	                                       .words = quality_presentation_words,
	                                       .max = PRESENTATION_720P5, .flags = USUAL,
	                                       .help = "Largest picture of content." },
	[LEG_PROFILE_VIDEO_MUTE_OTHERS_ALLOWED] =
		PROFILE_BOOL("videoMuteOthersAllowed", 0,
	                     "May hide the pictures of others and choose their layout."),
	[LEG_PROFILE_VIDEO_MUTE_SELF_ALLOWED] =
		PROFILE_BOOL("videoMuteSelfAllowed", 1, "May hide and show its own picture."),
	[LEG_PROFILE_SET_IMPORTANCE_ALLOWED] =
		PROFILE_BOOL("setImportanceAllowed", 0, "May change who is important."),
	[LEG_PROFILE_PRESENTATION_MODE] = { "presentationDisplayMode", .kind = FIELD_ENUM,
	                                    .words = presentation_words,
	                                    .max = PRESENTATION_SINGLE_STREAM, .flags = USUAL,
	                                    .help = "Content in a second stream, or in the main "
	                                            "picture." },
	[LEG_PROFILE_PRESENTATION_CONTRIBUTION_ALLOWED] =
		PROFILE_BOOL("presentationContributionAllowed", 1, "May present."),
	[LEG_PROFILE_PRESENTATION_VIEWING_ALLOWED] =
		PROFILE_BOOL("presentationViewingAllowed", 1, "May see what others present."),
	[LEG_PROFILE_ALLOW_ALL_PRESENTATION_ALLOWED] =
		PROFILE_BOOL("allowAllPresentationContributionAllowed", 0,
	                     "May let everybody present."),
	[LEG_PROFILE_PRESENTATION_CHANNEL] =
		PROFILE_BOOL("sipPresentationChannelEnabled", 1,
	                     "SIP legs are offered a second stream for content."),
	[LEG_PROFILE_BFCP_MODE] = { "bfcpMode", .kind = FIELD_ENUM, .words = bfcp_words,
	                            .max = BFCP_SERVER_AND_CLIENT, .flags = USUAL,
	                            .help = "Part played in floor control (RFC 8855)." },
	[LEG_PROFILE_CAMERA] =
		PROFILE_BOOL("controlRemoteCameraAllowed", 0, "May steer the cameras of others."),
	[LEG_PROFILE_ALLOW_ALL_MUTE_SELF_ALLOWED] =
		PROFILE_BOOL("allowAllMuteSelfAllowed", 0,
	                     "May let everybody mute and unmute themselves."),
	[LEG_PROFILE_CHANGE_JOIN_MUTE_ALLOWED] =
		PROFILE_BOOL("changeJoinAudioMuteOverrideAllowed", 0,
	                     "May say whether who joins is muted."),
	[LEG_PROFILE_CHAT_ALLOWED] =
		PROFILE_BOOL("chatContributionAllowed", 1, "May write to all."),
	[LEG_PROFILE_RAISE_HAND_ALLOWED] =
		PROFILE_BOOL("raiseHandAllowed", 1, "May raise its hand."),
	[LEG_PROFILE_ADD_PARTICIPANT_ALLOWED] =
		PROFILE_BOOL("addParticipantAllowed", 0, "May have others called."),
	[LEG_PROFILE_RECORDING_ALLOWED] =
		PROFILE_BOOL("recordingControlAllowed", 1, "May start and stop a recording."),
	[LEG_PROFILE_STREAMING_ALLOWED] =
		PROFILE_BOOL("streamingControlAllowed", 1, "May start and stop a stream."),
	[LEG_PROFILE_CHANGE_ROLE_ALLOWED] =
		PROFILE_BOOL("changeRoleAllowed", 0, "May change the role of others."),
	[LEG_PROFILE_TELEPRESENCE] =
		PROFILE_LACKING("telepresenceCallsAllowed", "TIP is not spoken here."),
	[LEG_PROFILE_NOTES] = PROFILE_LACKING("noteContributeAllowed", "There are no notes."),
	[LEG_PROFILE_CAPTIONER] = PROFILE_LACKING("captionerAllowed", "There are no captions."),
	[LEG_PROFILE_FILE_UPLOAD] = PROFILE_LACKING("fileUploadAllowed", "Files are not shared."),
};

static const char *const mute_behavior_words[] = { "linear", "exponential", NULL };

const struct field call_profile_fields[] = {
	[CALL_PROFILE_PARTICIPANT_LIMIT] = { "participantLimit", .kind = FIELD_UINT,
	                                     .max = UINT32_MAX, .fallback = UINT32_MAX,
	                                     .flags = USUAL_LIST,
	                                     .help = "Most participants of a call." },
	[CALL_PROFILE_LOCKED] = { "locked", .kind = FIELD_BOOL, .max = 1, .flags = USUAL_LIST,
	                          .help = "Calls start locked." },
	[CALL_PROFILE_LOCK_MODE] = { "lockMode", .kind = FIELD_ENUM, .words = lock_words,
	                             .max = LOCK_NEEDS_ACTIVATION, .flags = USUAL,
	                             .help = "Whom a lock keeps in the lobby." },
	[CALL_PROFILE_PASSCODE_MODE] = { "passcodeMode", .kind = FIELD_ENUM,
	                                 .words = passcode_words, .max = PASSCODE_TIMEOUT,
	                                 .flags = USUAL,
	                                 .help = "Whether silence counts as an empty passcode." },
	[CALL_PROFILE_PASSCODE_TIMEOUT] = { "passcodeTimeout", .kind = FIELD_UINT, .min = 1,
	                                    .max = 600, .fallback = 10, .flags = USUAL,
	                                    .help = "After so many seconds." },
	[CALL_PROFILE_CHAT_ALLOWED] = { "chatAllowed", .kind = FIELD_BOOL, .max = 1, .fallback = 1,
	                                .flags = USUAL, .help = "Calls have a chat." },
	[CALL_PROFILE_RAISE_HAND] = { "raiseHandEnabled", .kind = FIELD_BOOL, .max = 1,
	                              .fallback = 1, .flags = USUAL,
	                              .help = "Hands can be raised in calls." },
	[CALL_PROFILE_BANNER] = { "messageBannerText", .kind = FIELD_TEXT, .max = MESSAGE_BYTES,
	                          .flags = USUAL,
	                          .help = "On-screen text while a call has no messageText." },
	[CALL_PROFILE_DTMF_PROFILE] = { "dtmfProfile", .kind = FIELD_GUID,
	                                .ref = OBJECT_DTMF_PROFILE, .flags = USUAL,
	                                .help = "Codes that can be typed in these calls." },
	[CALL_PROFILE_RECORDING_MODE] = WORD_ROW("recordingMode", feature_words, FEATURE_MANUAL,
	                                         USUAL_LIST, "Whether calls are recorded."),
	[CALL_PROFILE_STREAMING_MODE] = WORD_ROW("streamingMode", feature_words, FEATURE_MANUAL,
	                                         USUAL_LIST, "Whether calls are streamed."),
	[CALL_PROFILE_RECORDER_URI] = { "sipRecorderUri", .kind = FIELD_PARTY, .max = 255,
	                                .flags = USUAL, .help = "Dialled to record." },
	[CALL_PROFILE_STREAMER_URI] = { "sipStreamerUri", .kind = FIELD_PARTY, .max = 255,
	                                .flags = USUAL, .help = "Dialled to stream." },
	[CALL_PROFILE_GATEWAY_AUDIO] =
		PROFILE_LACKING("gatewayAudioCallOptimization", "There are no gateway calls."),
	[CALL_PROFILE_LYNC_MODE] = WORD_ROW("lyncConferenceMode", lync_words, 0,
	                                    USUAL | FIELD_LACKING,
	                                    "Skype for Business is not joined from here."),
	[CALL_PROFILE_FILE_RECEIVE] =
		PROFILE_LACKING("fileReceiveAllowed", "Files are not shared."),
	[CALL_PROFILE_MUTE_BEHAVIOR] = WORD_ROW("muteBehavior", mute_behavior_words, 0,
	                                        FIELD_WRITE | FIELD_LACKING,
	                                        "Who is muted by others can unmute, and be unmuted."),
};

#define DTMF_CODE(name_, help_) \
	{ name_, .kind = FIELD_CODE, .min = 1, .max = 16, .flags = USUAL, .help = help_ }

const struct field dtmf_profile_fields[] = {
	[DTMF_LOCK] = DTMF_CODE("lockCall", "Locks the call."),
	[DTMF_UNLOCK] = DTMF_CODE("unlockCall", "Unlocks it."),
	[DTMF_NEXT_LAYOUT] = DTMF_CODE("nextLayout", "The next layout for the one who types."),
	[DTMF_PREVIOUS_LAYOUT] = DTMF_CODE("previousLayout", "The one before."),
	[DTMF_MUTE_SELF] = DTMF_CODE("muteSelfAudio", "Mutes the one who types."),
	[DTMF_UNMUTE_SELF] = DTMF_CODE("unmuteSelfAudio", "Unmutes them."),
	[DTMF_TOGGLE_MUTE_SELF] = DTMF_CODE("toggleMuteSelfAudio", "One or the other."),
	[DTMF_MUTE_OTHERS] = DTMF_CODE("muteAllExceptSelfAudio", "Mutes all others."),
	[DTMF_UNMUTE_OTHERS] = DTMF_CODE("unmuteAllExceptSelfAudio", "Unmutes all others."),
	[DTMF_ALLOW_ALL_MUTE_SELF] = DTMF_CODE("allowAllMuteSelf", "All may mute themselves."),
	[DTMF_CANCEL_ALLOW_ALL_MUTE_SELF] =
		DTMF_CODE("cancelAllowAllMuteSelf", "Only those whose profile says so."),
	[DTMF_ALLOW_ALL_PRESENTATION] =
		DTMF_CODE("allowAllPresentationContribution", "All may present."),
	[DTMF_CANCEL_ALLOW_ALL_PRESENTATION] =
		DTMF_CODE("cancelAllowAllPresentationContribution",
	                  "Only those whose profile says so."),
	[DTMF_MUTE_NEW] = DTMF_CODE("muteAllNewAudio", "Who joins is muted."),
	[DTMF_UNMUTE_NEW] = DTMF_CODE("unmuteAllNewAudio", "Who joins is not muted."),
	[DTMF_DEFAULT_MUTE_NEW] =
		DTMF_CODE("defaultMuteAllNewAudio", "Profiles say whether who joins is muted."),
	[DTMF_MUTE_NEW_AND_OTHERS] = DTMF_CODE("muteAllNewAndAllExceptSelfAudio",
	                                       "Mutes all others, and who joins."),
	[DTMF_UNMUTE_NEW_AND_OTHERS] = DTMF_CODE("unmuteAllNewAndAllExceptSelfAudio",
	                                         "Unmutes all others, and who joins."),
	[DTMF_END_CALL] = DTMF_CODE("endCall", "Ends the call for all."),
	[DTMF_COUNT_PEOPLE] =
		DTMF_CODE("getTotalParticipantCount",
	                  "Shows on the screen of the one who types how many there are."),
	[DTMF_START_RECORDING] = DTMF_CODE("startRecording", "Starts a recording."),
	[DTMF_STOP_RECORDING] = DTMF_CODE("stopRecording", "Stops it."),
	[DTMF_START_STREAMING] = DTMF_CODE("startStreaming", "Starts a stream."),
	[DTMF_STOP_STREAMING] = DTMF_CODE("stopStreaming", "Stops it."),
};

const struct field layout_template_fields[] = {
	[LAYOUT_TEMPLATE_NAME] = { "name", .kind = FIELD_TEXT, .max = NAME_BYTES,
	                           .flags = USUAL_LIST | FIELD_FILTER,
	                           .help = "For administrators." },
	[LAYOUT_TEMPLATE_TEXT] = { "template", .kind = FIELD_TEXT, .max = LAYOUT_TEXT_MAX,
	                           .flags = FIELD_KEPT,
	                           .help = "Its JSON, read and written at /template." },
	[LAYOUT_TEMPLATE_SIZE] = { "templateSize", .kind = FIELD_UINT, .max = LAYOUT_TEXT_MAX,
	                           .flags = GET | FIELD_ALWAYS,
	                           .help = "Bytes of the template; 0: there is none yet." },
};

const struct field dial_in_profile_fields[] = {
	[DIAL_IN_NAME] = TEXT_ROW("name", NAME_BYTES, USUAL_LIST | FIELD_FILTER,
	                          "For administrators."),
	[DIAL_IN_MIN_PASSCODE] = UINT_ROW("minPasscodeLength", PASSCODE_DIGITS, USUAL_LIST,
	                                  "Shorter passcodes are refused; 0: none is needed."),
	[DIAL_IN_ALLOW_OUT_OF_POLICY] =
		BOOL_ROW("allowOutOfPolicy", 1, USUAL_LIST,
	                 "Passcodes that were there before and are too short still open."),
};

const struct field call_branding_fields[] = {
	[CALL_BRANDING_INVITATION] = { "invitationTemplate", .kind = FIELD_URL,
	                               .words = http_schemes, .max = 500, .flags = USUAL_LIST,
	                               .help = "Text of invitations." },
	[CALL_BRANDING_LOCATION] = { "resourceLocation", .kind = FIELD_URL, .words = http_schemes,
	                             .max = 500, .flags = USUAL_LIST,
	                             .help = "Folder with WAV files of prompts; of its pictures "
	                                     "none is shown." },
};

const struct field ivr_branding_fields[] = {
	[IVR_BRANDING_LOCATION] = { "resourceLocation", .kind = FIELD_URL, .words = http_schemes,
	                            .max = 500, .flags = USUAL_LIST,
	                            .help = "Folder with WAV files of prompts; of its pictures "
	                                    "none is shown." },
};

const struct field user_profile_fields[] = {
	[USER_PROFILE_AUDIO] = BOOL_ROW("audioParticipationAllowed", 1, USUAL_LIST,
	                                "Is heard, and hears."),
	[USER_PROFILE_VIDEO] = BOOL_ROW("videoParticipationAllowed", 1, USUAL_LIST,
	                                "Is seen, and sees."),
	[USER_PROFILE_PRESENTATION] = BOOL_ROW("presentationParticipationAllowed", 1, USUAL_LIST,
	                                       "Presents, and sees what others present."),
	[USER_PROFILE_LICENSE] = BOOL_ROW("hasLicense", 0, USUAL_LIST,
	                                  "Counts as having a personal licence."),
};

const struct field compatibility_fields[] = {
	[COMPATIBILITY_UDT] = BOOL_ROW("sipUdt", 0, USUAL | FIELD_LACKING,
	                               "UDT is not spoken here."),
	[COMPATIBILITY_MULTISTREAM] = BOOL_ROW("sipMultistream", 0, USUAL | FIELD_LACKING,
	                                       "SIP legs have one picture and content."),
	[COMPATIBILITY_PAYLOAD_TYPES] = WORD_ROW("sipMediaPayloadTypeMode", payload_words, 0,
	                                         USUAL | FIELD_LACKING,
	                                         "The far end's payload types hold as they are."),
	[COMPATIBILITY_CHROME_CODEC] = WORD_ROW("chromeWebRtcVideoCodec", chrome_codec_words, 0,
	                                        USUAL | FIELD_LACKING,
	                                        "Browsers choose by themselves."),
	[COMPATIBILITY_CHROME_H264] = WORD_ROW("chromeWebRtcH264interopMode", chrome_h264_words,
	                                       0, USUAL | FIELD_LACKING, "Nothing to work round."),
	[COMPATIBILITY_H264_CHP] = WORD_ROW("h264CHPMode", chp_words, 0, USUAL | FIELD_LACKING,
	                                    "Profiles are negotiated."),
	[COMPATIBILITY_H224] = BOOL_ROW("sipH224", 1, USUAL | FIELD_LACKING,
	                                "Camera control is offered where it may be used."),
	[COMPATIBILITY_TRAVERSAL] = WORD_ROW("distributionLinkMediaTraversal", enabled_words, 0,
	                                     USUAL | FIELD_LACKING,
	                                     "There are no distribution links."),
	[COMPATIBILITY_PASSTHROUGH] = WORD_ROW("passthroughMode", enabled_words, 1,
	                                       USUAL | FIELD_LACKING,
	                                       "What browsers send is passed on as it is."),
};

const struct field web_profile_fields[] = {
	[WEB_PROFILE_NAME] = TEXT_ROW("name", NAME_BYTES, USUAL_LIST | FIELD_FILTER,
	                              "For administrators."),
	[WEB_PROFILE_ALLOW_PASSCODES] = BOOL_ROW("allowPasscodes", 1, USUAL_LIST,
	                                         "Guests may come with a passcode."),
	[WEB_PROFILE_ALLOW_SECRETS] = BOOL_ROW("allowSecrets", 1, USUAL_LIST,
	                                       "Guests may come with the secret of a link."),
	[WEB_PROFILE_USER_PORTAL] = BOOL_ROW("userPortalEnabled", 1, USUAL_LIST,
	                                     "The page lets people sign in."),
	[WEB_PROFILE_ALLOW_GUESTS] = BOOL_ROW("allowUnauthenticatedGuests", 1, USUAL_LIST,
	                                      "People who are not signed in may join."),
	[WEB_PROFILE_RESOLVE_CALL_IDS] = BOOL_ROW("resolveCoSpaceCallIds", 1, USUAL_LIST,
	                                          "Numeric meeting IDs lead to spaces."),
	[WEB_PROFILE_RESOLVE_LYNC] = BOOL_ROW("resolveLyncConferenceIds", 0,
	                                      USUAL_LIST | FIELD_LACKING,
	                                      "Skype for Business is not joined from here."),
	[WEB_PROFILE_RESOLVE_URIS] = WORD_ROW("resolveCoSpaceUris", resolve_words,
	                                      RESOLVE_URIS_SUGGESTED, USUAL_LIST,
	                                      "Addresses lead to spaces."),
};

const struct field web_address_fields[] = {
	[WEB_ADDRESS_LABEL] = TEXT_ROW("label", NAME_BYTES, USUAL_LIST, "What it is for."),
	[WEB_ADDRESS_ADDRESS] = { "address", .kind = FIELD_URL, .words = http_schemes, .max = 255,
	                          .flags = USUAL_LIST | FIELD_REQUIRED,
	                          .help = "Where browsers join; in accessQuery and invitations." },
};

const struct field ivr_number_fields[] = {
	[IVR_NUMBER_LABEL] = TEXT_ROW("label", NAME_BYTES, USUAL_LIST, "What it is for."),
	[IVR_NUMBER_NUMBER] = TEXT_ROW("number", 64, USUAL_LIST | FIELD_REQUIRED,
	                               "What telephones dial; in invitations."),
};

const struct field system_profiles_fields[] = {
	[SYSTEM_LEG_PROFILE] = REF_ROW("callLegProfile", OBJECT_LEG_PROFILE, USUAL,
	                               "Where nothing nearer says otherwise."),
	[SYSTEM_CALL_PROFILE] = REF_ROW("callProfile", OBJECT_CALL_PROFILE, USUAL,
	                                "Where space and tenant say nothing."),
	[SYSTEM_DTMF_PROFILE] = REF_ROW("dtmfProfile", OBJECT_DTMF_PROFILE, USUAL,
	                                "Codes that can be typed in any call."),
	[SYSTEM_USER_PROFILE] = REF_ROW("userProfile", OBJECT_USER_PROFILE, USUAL,
	                                "Where user and tenant say nothing."),
	[SYSTEM_IVR_BRANDING] = REF_ROW("ivrBrandingProfile", OBJECT_IVR_BRANDING, USUAL,
	                                "Where IVR and tenant say nothing."),
	[SYSTEM_CALL_BRANDING] = REF_ROW("callBrandingProfile", OBJECT_CALL_BRANDING, USUAL,
	                                 "Where space and tenant say nothing."),
	[SYSTEM_COMPATIBILITY] = REF_ROW("compatibilityProfile", OBJECT_COMPATIBILITY, USUAL,
	                                 "Of all legs."),
	[SYSTEM_DIAL_IN_PROFILE] = REF_ROW("dialInSecurityProfile", OBJECT_DIAL_IN_PROFILE, USUAL,
	                                   "Where method, space and tenant say nothing."),
	[SYSTEM_WEB_PROFILE] = REF_ROW("webBridgeProfile", OBJECT_WEB_PROFILE, USUAL,
	                               "Where Web Bridge and tenant say nothing."),
};
