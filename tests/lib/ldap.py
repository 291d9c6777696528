# SPDX-License-Identifier: Apache-2.0
"""An OpenLDAP of the test's own, with as many people as it is told."""
import signal
import subprocess
import time

from kamailio import make_certificate

BASE = "dc=example,dc=com"
PEOPLE = f"ou=people,{BASE}"
READER = f"cn=reader,{BASE}"
READER_PASSWORD = "reads"
ADMIN = f"cn=admin,{BASE}"
ADMIN_PASSWORD = "writes"
PLAIN, SECURE = 389, 636  # a secure=true on the first means StartTLS

CONF = """\
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
pidfile {folder}/pid
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload ppolicy
TLSCACertificateFile {folder}/slapd-ca.crt
TLSCertificateFile {folder}/slapd.crt
TLSCertificateKeyFile {folder}/slapd.key
disallow bind_anon
{limits}
database mdb
suffix "{base}"
rootdn "{admin}"
rootpw {admin_password}
directory {folder}/db
maxsize 268435456
index objectClass,uid eq
overlay ppolicy
ppolicy_use_lockout
access to attrs=userPassword by anonymous auth by * none
access to * by users read by anonymous auth
"""

TOP = f"""\
dn: {BASE}
objectClass: dcObject
objectClass: organization
o: Example
dc: example

dn: {PEOPLE}
objectClass: organizationalUnit
ou: people

dn: {READER}
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: reader
userPassword: {READER_PASSWORD}

"""


def dn(number):
    return f"uid=user{number},{PEOPLE}"


def person(number, team="red", name=None):
    """LDIF of one."""
    return (f"dn: {dn(number)}\nobjectClass: inetOrgPerson\nuid: user{number}\n"
            f"cn: {name or f'User {number}'}\nsn: {number}\nmail: user{number}@example.com\n"
            f"telephoneNumber: +49 30 {number:05}\nou: {team}\nuserPassword: word{number}\n\n")


class Slapd:
    def __init__(self, world, people, limits="sizelimit unlimited", certificate_for="127.0.0.1"):
        self.folder = world.path("slapd")
        self.folder.mkdir()
        (self.folder / "db").mkdir()
        self.process = None
        world.at_end(self.kill)
        make_certificate(self.folder, "slapd", certificate_for)
        self.limit(limits)
        with open(self.folder / "people.ldif", "w", encoding="utf-8") as file:
            file.write(TOP)
            for number in range(people):
                file.write(person(number, "blue" if number % 10 == 0 else "red"))
        subprocess.run(["slapadd", "-q", "-f", self._conf, "-l", self.folder / "people.ldif"],
                       check=True, capture_output=True)
        self.start()

    @property
    def _conf(self):
        return self.folder / "slapd.conf"

    def limit(self, limits):
        """What of `limits` in slapd.conf holds from the next start on."""
        self._conf.write_text(CONF.format(folder=self.folder, base=BASE, admin=ADMIN, limits=limits,
                                          admin_password=ADMIN_PASSWORD))

    def start(self):
        # Whatever case starts it: it is there until the end of them all.
        with open(self.folder / "log", "ab") as out:
            self.process = subprocess.Popen(
                ["slapd", "-d", "0", "-f", self._conf, "-h",
                 f"ldap://127.0.0.1:{PLAIN} ldaps://127.0.0.1:{SECURE}"], stdout=out, stderr=out)
        for _ in range(200):
            if self._tool("ldapwhoami", check=False).returncode == 0:
                return
            time.sleep(0.05)
        raise RuntimeError("slapd does not answer")

    def kill(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def freeze(self):
        """It holds its connections and says nothing."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)

    def _tool(self, name, *words, check=True, **settings):
        return subprocess.run([name, "-x", "-H", f"ldap://127.0.0.1:{PLAIN}", "-D", ADMIN, "-w",
                               ADMIN_PASSWORD, *words], check=check, capture_output=True, text=True,
                              **settings)

    def add(self, *entries):
        self._tool("ldapadd", input="".join(entries))

    def set(self, number, attribute, value):
        self._tool("ldapmodify", input=f"dn: {dn(number)}\nchangetype: modify\n"
                                       f"replace: {attribute}\n{attribute}: {value}\n")

    def remove(self, *numbers):
        self._tool("ldapdelete", *(dn(number) for number in numbers))

    @property
    def authority(self):
        return self.folder / "slapd-ca.crt"
