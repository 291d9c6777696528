/* SPDX-License-Identifier: Apache-2.0 */
/* What an administrator asks of the house itself, and CMS has no words for: certificates, and how
 * receivers take their records. */
#include "api/api_internal.h"

enum {
	DAY_SECONDS = 24 * 60 * 60,
	CERTIFICATE_BYTES_MAX = 16 * 1024, /* each of its texts escaped */
};

/* ------------------------------------------------------------------ certificates */

static struct value
text_of(const char *text)
{
	return value_text(text != NULL ? text : "");
}

static enum certificate_status
status_of(const struct api_certificate *certificate, int64_t wall_us)
{
	const int64_t soon_us = (int64_t)API_CERTIFICATE_SOON_DAYS * DAY_SECONDS * 1000000;
	if (certificate->problem != NULL)
		return CERTIFICATE_UNREADABLE;
	if (wall_us > certificate->not_after_us)
		return CERTIFICATE_EXPIRED;
	if (wall_us < certificate->not_before_us)
		return CERTIFICATE_NOT_YET_VALID;
	return certificate->not_after_us - wall_us < soon_us ? CERTIFICATE_EXPIRES_SOON
	                                                     : CERTIFICATE_VALID;
}

static struct value
certificate_value(const struct api_certificate *certificate, enum certificate_field field,
                  int64_t wall_us)
{
	const bool known = certificate->problem == NULL;
	const int64_t left_s = (certificate->not_after_us - wall_us) / 1000000;
	switch (field) {
	case CERTIFICATE_SERVICE:
		return text_of(certificate->service);
	case CERTIFICATE_USE:
		return value_number(certificate->use);
	case CERTIFICATE_FILE:
		return text_of(certificate->file);
	case CERTIFICATE_STATUS:
		return value_number(status_of(certificate, wall_us));
	case CERTIFICATE_SUBJECT:
		return text_of(certificate->subject);
	case CERTIFICATE_NAMES:
		return text_of(certificate->names);
	case CERTIFICATE_ISSUER:
		return text_of(certificate->issuer);
	case CERTIFICATE_FROM:
		return (struct value){ .set = known, .time_us = certificate->not_before_us };
	case CERTIFICATE_UNTIL:
		return (struct value){ .set = known, .time_us = certificate->not_after_us };
	case CERTIFICATE_DAYS:
		return (struct value){ .set = known,
			               .number = left_s > 0 ? (uint32_t)(left_s / DAY_SECONDS)
			                                    : 0 };
	case CERTIFICATE_FINGERPRINT:
		return text_of(certificate->fingerprint);
	case CERTIFICATE_PROBLEM:
		return text_of(certificate->problem);
	case CERTIFICATE_FIELDS:
		break;
	}
	return (struct value){ 0 };
}

static void
count_certificate(void *to, const struct api_certificate *certificate)
{
	(void)certificate;
	++*(uint32_t *)to;
}

static void
write_certificate(void *to, const struct api_certificate *certificate)
{
	struct work *work = to;
	struct document *doc = &work->doc;
	if (doc->w.cap - doc->w.at < CERTIFICATE_BYTES_MAX)
		return; /* the total says that there is more */
	document_item_open(doc, STR("certificate"));
	for (unsigned i = 0; i < CERTIFICATE_FIELDS; i++) {
		const struct value value = certificate_value(
			certificate, (enum certificate_field)i, work->slot->wall_us);
		if (value.set)
			document_value(doc, object_field(OBJECT_CERTIFICATE, i), &value);
	}
	document_item_close(doc);
}

/* Twice through them: the total stands in front. */
void
certificates_read(struct work *work)
{
	const struct api_look *look = &work->api->settings.look;
	uint32_t total = 0;
	if (look->certificates != NULL)
		look->certificates(look->context, count_certificate, &total);
	work->has_body = true;
	document_list_open(&work->doc, STR("certificates"), STR("certificate"), total, 0);
	if (look->certificates != NULL)
		look->certificates(look->context, write_certificate, work);
	document_list_close(&work->doc);
}

/* ------------------------------------------------------------------ receivers of records */

struct value
cdr_status_value(const struct work *work, uint32_t receiver, unsigned field)
{
	const struct api_look *look = &work->api->settings.look;
	const struct guid id = objects_id(work->objects, OBJECT_CDR_RECEIVER, receiver);
	struct api_cdr_state state = { .error = "" };
	if (look->cdr_state != NULL)
		look->cdr_state(look->context, &id, &state);
	switch ((enum cdr_status_field)field) {
	case CDR_STATUS:
		return value_number(state.status);
	case CDR_STATUS_ERROR:
		return text_of(state.error);
	case CDR_STATUS_ERROR_TIME:
		return (struct value){ .set = state.error[0] != '\0',
			               .time_us = state.error_wall_us };
	case CDR_STATUS_SUCCESS_TIME:
		return (struct value){ .set = state.success_wall_us != 0,
			               .time_us = state.success_wall_us };
	case CDR_STATUS_WAITING:
		return value_number(state.waiting);
	case CDR_STATUS_NEXT_ATTEMPT:
		return (struct value){ .set = state.next_attempt_s != 0,
			               .number = state.next_attempt_s };
	case CDR_STATUS_DELIVERIES:
		return value_number(state.deliveries);
	case CDR_STATUS_ANSWER_TIME:
		return (struct value){ .set = state.deliveries != 0, .number = state.answer_ms };
	case CDR_STATUS_FIELDS:
		break;
	}
	return (struct value){ 0 };
}

void
receiver_test(struct work *work, uint32_t receiver)
{
	const struct api_look *look = &work->api->settings.look;
	const struct guid id = objects_id(work->objects, OBJECT_CDR_RECEIVER, receiver);
	if (look->cdr_test != NULL)
		look->cdr_test(look->context, &id);
	work_log(work, "tested", OBJECT_CDR_RECEIVER, &id, NULL);
}
