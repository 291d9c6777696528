# SPDX-License-Identifier: Apache-2.0
"""baresip as a phone: sends a WAV file in a loop, records what it hears, is told what to do by JSON."""
import json
import re
import socket
import subprocess
import time

import numpy as np

import network
import pictures
import sound
from harness import Failure, expect, wait_for

_CONFIG = """\
poll_method epoll
sip_listen {address}:15060
sip_certificate {folder}/phone.pem
net_interface {address}
call_local_timeout 120
call_max_calls 4
audio_source aufile,{folder}/tone.wav
audio_player aufile,{folder}/player.wav
audio_alert aufile,{folder}/alert.wav
ausrc_srate 48000
auplay_srate 48000
ausrc_channels 1
auplay_channels 1
ausrc_format s16
auplay_format s16
auenc_format s16
audec_format s16
audio_level no
rtp_ports 20000-20099
rtcp_mux {rtcp_mux}
jitter_buffer_delay 3-10
opus_bitrate 40000
opus_inbandfec yes
opus_application voip
opus_packet_loss 20
opus_stereo no
opus_sprop_stereo no
snd_path {folder}/heard
ctrl_tcp_listen {address}:4444
module_path /usr/lib/baresip/modules
module aufile.so
module opus.so
module g722.so
module g711.so
module sndfile.so
module srtp.so
module dtls_srtp.so
module ice.so
module stun.so
module_tmp uuid.so
module_tmp account.so
module_app menu.so
module_app debug_cmd.so
module_app ctrl_tcp.so
"""

# Added for a phone with pictures.
_VIDEO_CONFIG = """\
video_source avformat,{film}
video_display fakevideo,nil
video_size {size}
video_bitrate {bitrate}
video_fps 30
video_fullscreen no
videnc_format yuv420p
avcodec_h264enc libx264
avformat_hwaccel none
module avcodec.so
module vp8.so
module avformat.so
module swscale.so
module fakevideo.so
module snapshot.so
"""

# Names as in baresip's account parameter; a name alone would match nothing and leave them all.
CODECS = {"opus": "opus/48000/2", "G722": "G722/16000/1", "PCMU": "PCMU/8000/1",
          "PCMA": "PCMA/8000/1"}


SOUND_S = 150  # where its sound ends baresip hangs up


class Baresip:
    def __init__(self, world, number, transport="udp", codec="opus", media="", ice=False,
                 tone=445, answer="auto", samples=None, rtcp_mux=False, video=None, colour=None, busy=False,
                 size="1280x720", bitrate=1500000, registrar=None, domain=None):
        """`video` is "h264" or "vp8": then it sends pictures of that colour, and takes some.
        With a `registrar`, an address, it is NAME@`domain` there and calls go out through it."""
        self.world = world
        self.name = f"phone{number}"
        self.machine = network.Machine(number)
        self.address = self.machine.address
        self.tone = tone
        self.transport = transport
        self.events = []
        self.snapshots = 0
        self.folder = world.path(self.name)
        (self.folder / "heard").mkdir(parents=True)
        sound.write_wav(self.folder / "tone.wav",
                        sound.tone(tone, SOUND_S) if samples is None else samples)
        sound.write_wav(self.folder / "alert.wav", sound.tone(tone, 0.1) * 0)
        network.run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", f"/CN={self.name}",
                    "-keyout", str(self.folder / "phone.pem"), "-out", str(self.folder / "crt.pem"))
        with open(self.folder / "phone.pem", "a") as both:
            both.write((self.folder / "crt.pem").read_text())
        (self.folder / "config").write_text(_CONFIG.format(
            address=self.address, folder=self.folder, rtcp_mux="yes" if rtcp_mux else "no"))
        self.colour = colour
        if video:
            film = pictures.mp4(colour, size, busy)
            with open(self.folder / "config", "a") as config:
                config.write(_VIDEO_CONFIG.format(film=film, size=size, bitrate=bitrate))
        account = (f"<sip:{self.name}@{domain or self.address};transport={transport}>"
                   f";regint={600 if registrar else 0}"
                   f";answermode={answer};audio_codecs={CODECS[codec]}")
        account += f';outbound="sip:{registrar};transport={transport}"' if registrar else ""
        account += f";mediaenc={media}" if media else ""
        account += ";medianat=ice" if ice else ""
        account += f";video_codecs={video}" if video else ""
        (self.folder / "accounts").write_text(account + "\n")
        (self.folder / "contacts").write_text("")
        self.log_name = f"{self.folder.name}.log"
        self.process = world.start(
            self.machine.command(["env", "-C", self.folder, "baresip", "-f", self.folder, "-v"]),
            self.log_name)
        self._socket = wait_for(f"{self.name} is up", self._connect, 10)
        self._received = b""
        if registrar:
            wait_for(lambda: f"{self.name} is registered: {self.log()[-200:]}",
                     lambda: re.search(r" 200 OK .*\[\d+ binding", self.log()), 10)

    def _connect(self):
        if self.process.poll() is not None:
            raise Failure(f"{self.name} ended: {self.log()[-300:]}")
        try:
            return socket.create_connection((self.address, 4444), timeout=2)
        except OSError:
            return None

    def log(self):
        return (self.world.folder / self.log_name).read_text(errors="replace")

    def _take(self, seconds):
        """Reads what baresip says, into `events` and as answers."""
        self._socket.settimeout(max(seconds, 0.01))
        try:
            more = self._socket.recv(65536)
            expect(more, self.name, "closed its control connection")
            self._received += more
        except TimeoutError:
            pass
        answers = []
        while match := re.match(rb"(\d+):", self._received):
            end = match.end() + int(match.group(1))
            if len(self._received) <= end:
                break
            message = json.loads(self._received[match.end():end])
            self._received = self._received[end + 1:]
            (answers if message.get("response") else self.events).append(message)
        return answers

    def tell(self, command, parameters=""):
        """A command of baresip's menu: dial, hangup, hold, resume, mute, sndcode..."""
        text = json.dumps({"command": command, "params": parameters, "token": command})
        self._socket.sendall(f"{len(text)}:{text},".encode())
        return wait_for(f"{self.name} answers to {command}", lambda: self._take(0.2), 5)[0]

    def wait_event(self, kind, seconds=10):
        def seen():
            self._take(0.05)
            return next((e for e in self.events if e.get("type") == kind), None)
        return wait_for(lambda: f"{self.name}: {kind}, of "
                        f"{[(e.get('type'), e.get('param')) for e in self.events]}", seen, seconds)

    def dial(self, user, host=network.SERVER, port=None):
        port = port or (5061 if self.transport == "tls" else 5060)
        self.events.clear()
        self.tell("dial", f"sip:{user}@{host}:{port}")
        return self

    def dial_address(self, address):
        """As its proxy knows it: "user@domain"."""
        self.events.clear()
        self.tell("dial", f"sip:{address}")
        return self

    def join(self, user="demo", seconds=10):
        self.dial(user)
        self.wait_event("CALL_ESTABLISHED", seconds)
        return self

    def hang_up(self):
        self.tell("hangup")

    def press(self, digits, pause_s=0.25):
        """Keys of the phone; each becomes a telephone-event."""
        for digit in digits:
            self.tell("sndcode", digit)
            time.sleep(pause_s)

    def _recording(self):
        files = sorted((self.folder / "heard").glob("*-dec.wav"), key=lambda f: f.stat().st_mtime)
        return sound.read_wav(files[-1]) if files else (np.zeros(0), 48000)

    def hears(self, last_s=2.0):
        """The newest sound: (samples, rate)."""
        samples, rate = self._recording()
        return samples[-int(last_s * rate):], rate

    def heard_all(self):
        return self._recording()

    def frame_rate(self):
        """Of the pictures that arrive, as it counts them itself."""
        counted = re.findall(r"efps=[\d.]+/([\d.]+)", self.log())
        return float(counted[-1]) if counted else 0.0

    def sees(self, seconds=10):
        """The picture it is being shown now: rows of RGB."""
        self.snapshots += 1
        file = self.folder / f"seen-{self.snapshots}.png"
        self.tell("snapshot_recv", str(file))

        def taken():
            try:
                return [pictures.read_image(file)] if file.exists() else None
            except (subprocess.CalledProcessError, ValueError):
                return None  # still being written
        return wait_for(f"a picture at {self.name}", taken, seconds, 0.1)[0]

    def closed_reason(self):
        """What the last CALL_CLOSED said: "486 Busy Here"."""
        return self.wait_event("CALL_CLOSED").get("param", "")
