# SPDX-License-Identifier: Apache-2.0
"""Certificates, what TLS is demanded of, and public keys: an administrator's own authority, settings whose effect
OpenSSL's s_client sees from outside, keys that ssh(1) logs in with, and what ends with an account."""
import socket
import subprocess

import network
from harness import case, expect, expect_equal, main, wait_for
from login import PASSWORD, PORT, Login, add, audit, mmp
from server import Api, Server
from subscriber import Subscriber

SERVICES = {"webadmin": 8445, "webbridge3": 8443, "sip": 5061}


def dial(port, *options):
    """What `openssl s_client` says of a connection: "TLSv1.3 CIPHER", or "" when there is none."""
    done = subprocess.run(["openssl", "s_client", "-connect", f"{network.SERVER}:{port}", "-brief", *options],
                          input="", capture_output=True, text=True, timeout=20, check=False)
    said = dict(line.split(": ", 1) for line in done.stderr.splitlines() if ": " in line)
    return f"{said['Protocol version']} {said['Ciphersuite']}" if "Protocol version" in said else ""


def restart(world):
    for component in ("callbridge", "webbridge3"):
        said = mmp(world, component, "restart")
        expect("SUCCESS" in said, said)
    wait_for("all ports answer", lambda: all(dial(port) for port in SERVICES.values()), 30, 0.5)


def certificate(folder, name, *options):
    network.run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-subj", f"/CN={name}", "-keyout", f"{folder}/{name}.key", "-out", f"{folder}/{name}.crt",
                *options)


# -- what is spoken -----------------------------------------------------------------------------------

@case
def what_a_service_demands_of_tls_is_what_it_speaks(world):
    old = ("-cipher", "ALL:@SECLEVEL=0")
    for service, port in SERVICES.items():
        for version in ("-tls1", "-tls1_1"):
            expect_equal(dial(port, version, *old), "", f"{service} {version}")
        expect(dial(port, "-tls1_2").startswith("TLSv1.2 "), service)
        expect(dial(port, "-tls1_3").startswith("TLSv1.3 "), service)
    for command, why in (("webadmin ciphers AES999", 'FAILURE: there is no cipher "AES999"'),
                         ("webadmin ciphers ALL", "FAILURE: "), ("sip min-tls-version 1.1", "FAILURE: "),
                         ("sip ciphers eNULL", "does not encrypt")):
        said = mmp(world, "tls", *command.split())
        expect(why in said and "SUCCESS" not in said, command, said)
    wanted = "ECDHE-ECDSA-CHACHA20-POLY1305"
    said = "".join((mmp(world, "tls", "webadmin", "ciphers", f"{wanted}:TLS_AES_128_GCM_SHA256"),
                    mmp(world, "tls", "webbridge3", "min-tls-version", "1.3"),
                    mmp(world, "tls", "sip", "min-tls-version", "1.3")))
    expect(said.count("SUCCESS") == 3 and "convoke mmp callbridge restart" in said and
           "convoke mmp webbridge3 restart" in said, said)
    expect(dial(8443, "-tls1_2"), "it is taken up before the restart")
    restart(world)
    expect_equal(dial(8445, "-tls1_2"), f"TLSv1.2 {wanted}", "of the list")
    expect_equal(dial(8445, "-tls1_3"), "TLSv1.3 TLS_AES_128_GCM_SHA256", "of the list")
    expect_equal(dial(8445, "-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"), "", "not of the list")
    for service in ("webbridge3", "sip"):
        expect_equal(dial(SERVICES[service], "-tls1_2"), "", service)
        expect(dial(SERVICES[service], "-tls1_3").startswith("TLSv1.3 "), service)
    for service in SERVICES:
        mmp(world, "tls", service, "ciphers", "none")
        mmp(world, "tls", service, "min-tls-version", "1.2")


# -- certificates -------------------------------------------------------------------------------------

@case
def an_authority_of_ones_own_signs_and_is_verified(world):
    mine = world.path("own")
    mine.mkdir()
    status, said = world.anna.ssh(stdin="pki selfsigned house CN:house keyType:ecdsa256\n"
                                  f"pki csr meet CN:meet.example.com subjectAltName:{network.SERVER}\n"
                                  "pki sign meet house\npki verify meet.crt house.crt\n"
                                  "webadmin certs meet.key meet.crt house.crt\n")
    expect_equal(status, 0, said)
    for words in ("CSR file meet.csr ready for download via SFTP", "SUCCESS: Key and certificate pair match",
                  "SUCCESS: certificate verified against CA bundle", "convoke mmp callbridge restart"):
        expect(words in said, words, said)
    world.anna.sftp(f"get meet.csr {mine}/", f"get house.crt {mine}/")
    network.run("openssl", "req", "-verify", "-noout", "-in", f"{mine}/meet.csr")
    restart(world)
    proof = ("-CAfile", f"{mine}/house.crt", "-verify_return_error")
    expect(dial(8445, *proof, "-verify_hostname", "meet.example.com"), "the name of the CSR")
    expect(dial(8445, *proof, "-verify_ip", network.SERVER), "the address of the CSR")
    expect_equal(dial(8445, *proof, "-verify_hostname", "other.example.com"), "", "another name")
    status, said = world.anna.ssh("pki unlink meet.crt")
    expect(status == 1 and "meet.crt is in use: webadmin certs" in said, said)


@case
def what_will_not_do_is_refused_where_it_is_set(world):
    mine = world.path("wrong")
    mine.mkdir()
    network.run("openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-subj", "/CN=over", "-keyout", f"{mine}/over.key", "-out", f"{mine}/over.csr")
    network.run("openssl", "x509", "-req", "-in", f"{mine}/over.csr", "-signkey", f"{mine}/over.key", "-days", "-1",
                "-out", f"{mine}/over.crt")
    certificate(mine, "good", "-days", "2")
    certificate(mine, "phone", "-days", "2", "-addext", "extendedKeyUsage=clientAuth")
    certificate(mine, "away", "-days", "2")
    said = world.anna.sftp(*[f"put {file}" for file in sorted(mine.iterdir()) if file.stem != "away"])
    for command, why in (
            ("webadmin certs over.key over.crt", "has expired"),
            ("callbridge certs good.key over.crt", "Key and certificate pair do not match"),
            ("webbridge3 https certs phone.key phone.crt", "is not made for TLS servers"),
            ("callbridge certs good.key good.crt none.crt", "cannot read none.crt"),
            ("tls sip trust over.crt", "has expired"), ("tls ldap trust good.key", "holds no certificate"),
            (f"webadmin certs {mine}/away.key {mine}/away.crt", "is no key or certificate that SFTP shows"),
            (f"pki inspect {mine}/away.crt", "is no key or certificate that SFTP shows"),
            ("tls sip trust /etc/ssl/certs/ca-certificates.crt", "is no key or certificate that SFTP shows"),
            ("pki inspect jwt.key", "is no key or certificate that SFTP shows")):
        status, said = world.anna.ssh(command)
        expect(status == 1 and said.startswith("FAILURE: ") and why in said, command, said)
    before = mmp(world, "webadmin")
    expect("Subject             : CN = away" in mmp(world, "pki", "inspect", f"{mine}/away.crt"), "on the machine")
    expect_equal(mmp(world, "webadmin"), before, "what is set")
    network.run("openssl", "pkcs12", "-export", "-inkey", f"{mine}/away.key", "-in", f"{mine}/away.crt",
                "-passout", "pass:s3cret", "-out", f"{mine}/away.p12")
    world.anna.sftp(f"put {mine}/away.p12")
    status, said = world.anna.ssh("pki pkcs12 away.p12 brought", stdin="s3cret\n")
    expect(status == 0 and "Created key file brought.key" in said, said)
    status, said = world.anna.ssh("pki match brought.key brought.crt")
    expect_equal(status, 0, said)
    expect("s3cret" not in audit(world), "a password was logged")


# -- public keys --------------------------------------------------------------------------------------

class KeyLogin(Login):
    """Logs in with a key alone."""

    def __init__(self, world, name, kind, user, machine=None):
        super().__init__(world, name, "none", machine)
        self.target = f"{user}@{self.target.partition('@')[2]}"
        network.run("ssh-keygen", "-q", "-t", kind, "-N", "", "-C", f"{name} of {user}", "-f", f"{self.folder}/id")
        self.public = self.folder / "id.pub"
        self.options += ["-i", f"{self.folder}/id", "-o", "PreferredAuthentications=publickey",
                         "-o", "IdentitiesOnly=yes"]


@case
def keys_of_every_kind_log_in(world):
    add(world, "kim", "appadmin")
    logins = [KeyLogin(world, f"kim-{kind}", kind, "kim") for kind in ("ed25519", "ecdsa", "rsa")]
    stranger = KeyLogin(world, "kim-other", "ed25519", "kim")
    expect(not logins[0].may_log_in(), "a key that nobody brought")
    together = world.path("kim.pub")
    together.write_text("".join(login.public.read_text() for login in logins[1:]))
    world.anna.sftp(f"put {together} kim.pub")
    status, said = world.anna.ssh("user key add kim " + logins[0].public.read_text().strip())
    expect(status == 0 and "SUCCESS: key SHA256:" in said, said)
    for login in logins:
        status, said = login.ssh("webadmin")
        expect(status == 0 and "STATUS : webadmin running" in said, login.folder.name, said)
        status, said = login.ssh("user", "list")
        expect(status == 1 and "not for users of role appadmin" in said, said)
    expect("convoke" not in logins[0].sftp("get kim.pub /dev/null") and not stranger.may_log_in(), "strangers")
    said = mmp(world, "user", "key", "list", "kim")
    expect_equal(sorted(line.split()[0] for line in said.splitlines()),
                 ["ecdsa-sha2-nistp256", "ssh-ed25519", "ssh-rsa"], said)
    prints = {line.split()[0]: line.split()[1] for line in said.splitlines()}
    known = network.run("ssh-keygen", "-l", "-f", str(logins[0].public))
    expect(prints["ssh-ed25519"] in (known or said), "another fingerprint than ssh-keygen's:", known)
    expect(f'user "kim" from 127.0.0.1: logged in by SSH with key {prints["ssh-rsa"]}' in audit(world), "the audit log")
    mmp(world, "user", "key", "del", "kim", prints["ssh-ed25519"])
    expect(not logins[0].may_log_in() and logins[1].may_log_in(), "one was removed")


@case
def a_lock_by_passwords_is_the_strangers_own(world):
    other = network.Machine(2)
    mmp(world, "user", "rule", "max_failed_logins", "3")
    here = add(world, "lena", "admin")
    there = KeyLogin(world, "lena-key", "ed25519", "lena", other)
    mmp(world, "user", "key", "add", "lena", *there.public.read_text().split())
    wrong = Login(world, "lena-wrong", "not it", other)
    wrong.target = f"lena@{network.SERVER}"
    for _ in range(5):
        expect(not wrong.may_log_in(), "a wrong password is right")
    (wrong.folder / "ask").write_text((here.folder / "ask").read_text())
    expect(not wrong.may_log_in(), "the stranger's address is not locked")
    expect(f"Locked out       : {other.address} until" in mmp(world, "user", "info", "lena"), "user info")
    expect(here.may_log_in(), "her own address is locked, too")
    expect(there.may_log_in(), "her key is locked, too")
    lines = [line for line in audit(world).splitlines() if "lena" in line and "refused" in line]
    expect_equal(len(lines), 2, f"lines of six refusals: {lines}")  # the first, and that it is locked now
    mmp(world, "user", "unlock", "lena")
    expect(wrong.may_log_in(), "unlocked, and cannot log in")
    mmp(world, "user", "rule", "max_failed_logins", "20")
    mmp(world, "user", "del", "lena")
    expect(not there.may_log_in(), "the key outlives its account")


@case
def who_comes_without_a_login_is_counted(world):
    other = network.Machine(3)
    heard = 0
    for _ in range(30):
        one = other.socket(socket.SOCK_STREAM)
        one.settimeout(20)
        try:
            one.connect((network.SERVER, PORT))
            greeted = one.recv(64).startswith(b"SSH-2.0-")
        except OSError:
            greeted = False
        one.close()
        heard += greeted
        if not greeted:
            break
    expect(10 <= heard < 30, "connections that were heard:", heard)
    expect(world.anna.may_log_in(), "others cannot come")


@case
def a_name_that_nobody_has_costs_what_a_wrong_password_does(world):
    accounts = world.server.data / "accounts"
    for name in ("anna", "nobody"):
        wrong = Login(world, f"cost-{name}", "not it")
        wrong.target = f"{name}@127.0.0.1"
        before = accounts.stat().st_ino, accounts.stat().st_mtime_ns
        expect(not wrong.may_log_in(), "a wrong password is right")
        wait_for(f"the accounts are written after a guess at {name}",
                 lambda before=before: (accounts.stat().st_ino, accounts.stat().st_mtime_ns) != before)
    expect('"nobody"' not in audit(world), "strangers' names are no audit")


# -- what ends with an account ------------------------------------------------------------------------

@case
def events_end_with_their_account(world):
    for name, change in (("tom", ("user", "del", "tom")), ("uwe", ("passwd", "uwe")),
                         ("vera", ("user", "expire", "vera"))):
        add(world, name, "api")
        api = Api(name, PASSWORD)
        wait_for("the API knows it", lambda api=api: api.request("GET", "/api/v1/calls").status == 200)
        tool = Subscriber(world, api)
        expect_equal(tool.status, 101, "status of the opening")
        tool.subscribe((1, "calls", None, ["name"]))
        said = mmp(world, *change, stdin="An0ther one!\nAn0ther one!\n")
        expect("SUCCESS" in said, said)
        wait_for(f"the end after {change[:2]}", lambda tool=tool: tool.closed is not None, 10)
        expect_equal(tool.closed, 1008, "close code")


def set_up(world):
    world.server = Server(world)
    world.anna = add(world, "anna", "admin")


if __name__ == "__main__":
    main(set_up)
