# SPDX-License-Identifier: Apache-2.0
"""Kamailio as the telephone system next door: a registrar and proxy for phones, and a trunk to Convoke."""
import socket
import time

import network
from harness import expect, wait_for

# Addresses of these domains are ours to route: phones are looked up, the rest goes to the Call Bridge.
_CONFIG = """\
debug=2
log_stderror=yes
children=2
tcp_children=2
fork=yes
auto_aliases=no
dns_retr_time=1
dns_retr_no=1
dns_try_ipv6=no
mpath="/usr/lib/x86_64-linux-gnu/kamailio/modules/"
alias="{phones}"
listen=udp:{address}:5060
listen=tcp:{address}:5060
listen=tls:{address}:5061
listen=tls:{address}:{foreign_port}
enable_tls=yes
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "xlog.so"
loadmodule "tls.so"
modparam("usrloc", "db_mode", 0)
modparam("tls", "config", "{folder}/tls.cfg")

request_route {{
    if (!mf_process_maxfwd_header("30")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
    if (is_method("CANCEL")) {{ if (t_check_trans()) {{ t_relay(); }} exit; }}
    if (has_totag()) {{
        if (loose_route()) {{ t_relay(); exit; }}
        if (is_method("ACK")) {{ if (t_check_trans()) {{ t_relay(); }} exit; }}
        sl_send_reply("404", "Not here");
        exit;
    }}
    t_check_trans();
    if (is_method("REGISTER")) {{ if (!save("location")) {{ sl_reply_error(); }} exit; }}
    if (is_method("INVITE")) {{
        record_route();
        xlog("L_NOTICE", "INVITE $ru from $fu by $proto\\n");
    }}
    if ($rd == "{phones}") {{
        if ($rU == "busy") {{ sl_send_reply("486", "Busy Here"); exit; }}
        if (!lookup("location")) {{ sl_send_reply("404", "Not Found"); exit; }}
        t_relay();
        exit;
    }}
    $du = "sip:{server}:5061;transport=tls";
    t_relay();
}}
"""

_TLS = """\
[server:default]
method = TLSv1.2+
private_key = {folder}/trusted.key
certificate = {folder}/trusted.crt
[client:default]
method = TLSv1.2+
verify_certificate = no
[server:{address}:{foreign_port}]
method = TLSv1.2+
private_key = {folder}/foreign.key
certificate = {folder}/foreign.crt
"""

PHONES = "phones.example"


def _openssl(folder, *words):
    network.run("openssl", *(word.format(folder=folder) for word in words))


def make_authority(folder, name):
    """An authority of its own: NAME-ca.crt."""
    _openssl(folder, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
             "-nodes", "-days", "2", "-subj", f"/CN={name} authority",
             "-keyout", f"{{folder}}/{name}-ca.key", "-out", f"{{folder}}/{name}-ca.crt")


def make_certificate(folder, name, address):
    """NAME.crt by the authority of that name, for that address."""
    make_authority(folder, name)
    (folder / f"{name}.ext").write_text(f"subjectAltName=IP:{address}\n")
    _openssl(folder, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
             "-subj", f"/CN={name}", "-keyout", f"{{folder}}/{name}.key",
             "-out", f"{{folder}}/{name}.csr")
    _openssl(folder, "x509", "-req", "-days", "2", "-in", f"{{folder}}/{name}.csr",
             "-CA", f"{{folder}}/{name}-ca.crt", "-CAkey", f"{{folder}}/{name}-ca.key",
             "-CAcreateserial", "-extfile", f"{{folder}}/{name}.ext",
             "-out", f"{{folder}}/{name}.crt")


class Kamailio:
    FOREIGN_PORT = 5063  # TLS with a certificate of an authority nobody trusts

    def __init__(self, world, number):
        self.world = world
        self.machine = network.Machine(number)
        self.address = self.machine.address
        self.folder = world.path("kamailio")
        self.folder.mkdir()
        make_certificate(self.folder, "trusted", self.address)
        make_certificate(self.folder, "foreign", self.address)
        names = {"address": self.address, "folder": self.folder, "server": network.SERVER,
                 "phones": PHONES, "foreign_port": self.FOREIGN_PORT}
        (self.folder / "kamailio.cfg").write_text(_CONFIG.format(**names))
        (self.folder / "tls.cfg").write_text(_TLS.format(**names))
        self.process = world.start(
            self.machine.command(["kamailio", "-DD", "-E", "-f", self.folder / "kamailio.cfg",
                                  "-m", "64", "-M", "8", "-Y", self.folder,
                                  "-P", self.folder / "pid"]), "kamailio.log")
        wait_for(lambda: "Kamailio is up: " + self.log()[-400:], self._answers, 15, 0.2)

    @property
    def trust(self):
        return self.folder / "trusted-ca.crt"

    def _answers(self):
        """OPTIONS get an answer, whatever it is."""
        expect(self.process.poll() is None, "Kamailio ended:", self.log()[-400:])
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            asking.bind((network.SERVER, 0))
            port = asking.getsockname()[1]
            asking.settimeout(0.5)
            asking.sendto(
                (f"OPTIONS sip:nobody@{PHONES} SIP/2.0\r\nVia: SIP/2.0/UDP {network.SERVER}:{port};"
                 f"branch=z9hG4bK{time.monotonic_ns()}\r\nFrom: <sip:t@t>;tag=1\r\nTo: <sip:t@t>\r\n"
                 f"Call-ID: {time.monotonic_ns()}\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 9\r\n"
                 "Content-Length: 0\r\n\r\n").encode(), (self.address, 5060))
            try:
                return asking.recv(4096).startswith(b"SIP/2.0")
            except OSError:
                return False

    def log(self):
        return (self.world.folder / "kamailio.log").read_text(errors="replace")

    def invites(self):
        """[(address dialled, by whom, transport)] of the INVITEs that began calls here."""
        found = []
        for line in self.log().splitlines():
            if "INVITE sip" in line:
                words = line[line.index("INVITE sip"):].split()
                found.append((words[1], words[3], words[5]))
        return found
