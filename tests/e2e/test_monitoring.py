# SPDX-License-Identifier: Apache-2.0
"""What those who watch a bridge use: metrics and the board made of them."""
import re
import socket
import time

import network
from baresip import Baresip
from harness import case, expect, expect_equal, main, wait_for
from server import SIP_PORT, Server


@case
def every_metric_of_the_board_is_there(world):
    text = (world.root / "share/grafana/convoke.json").read_text()
    wanted = set(re.findall(r"convoke_(\w+)\{", text))
    expect(len(wanted) > 40, "the board shows only", len(wanted), "metrics")
    missing = wanted - set(world.server.metrics())
    expect(not missing, "the board asks for what is not there:", sorted(missing))


@case
def metrics_count_what_happens(world):
    before = world.server.metrics()
    phone = Baresip(world, 1).join()
    during = world.server.metrics()
    expect_equal(during["calls"], 1, "calls")
    expect_equal(during["call_legs"], 1, "call_legs")
    phone.hang_up()
    phone.wait_event("CALL_CLOSED")
    after = world.server.wait_empty(transactions=False)
    expect_equal(after["call_legs_completed_total"] - before["call_legs_completed_total"], 1,
                 "legs that ended")
    expect(after["sip_messages_in_total"] > before["sip_messages_in_total"], "no SIP was counted")
    expect(after["memory_bytes"] > 1e6 and after["open_files"] > 10, "the process has no figures")


@case
def others_than_this_machine_get_metrics_with_a_login(world):
    elsewhere = network.Machine(7)
    url = f"https://{network.SERVER}:8445"
    refused = network.run(*elsewhere.command(["curl", "-sk", f"{url}/metrics"]))
    expect("system/metrics" in refused and "convoke_calls" not in refused, refused[:200])
    login = f"admin:{world.server.password()}"
    given = network.run(*elsewhere.command(["curl", "-sk", "-u", login,
                                            f"{url}/api/v1/system/metrics"]))
    expect("\nconvoke_calls 0\n" in given, given[:200])


@case
def an_engineer_reads_what_happened_to_a_call(world):
    api = world.server.api
    phone = Baresip(world, 2).join()
    call = world.server.call()
    made = api.post(f"calls/{call}/diagnostics")
    item = api.get(f"system/diagnostics/{made}")
    expect_equal(item.findtext("label"), "Demo", "label")
    text = api.request("GET", f"/api/v1/system/diagnostics/{made}/contents").body
    expect_equal(len(text.encode()), int(item.findtext("contentsSize")), "contentsSize")
    for part in (call, "phone2", "status/sipCallId = ", "joined conference", "event log", "SIP"):
        expect(part in text, "nothing of", part, "in", text[:300])
    phone.hang_up()
    world.server.wait_empty(transactions=False)
    lines = list(api.get(f"system/eventLog?filter={call}"))
    expect(any("destroyed" in line.findtext("text") for line in lines), "the log has no end of it")
    newest = int(lines[-1].findtext("number"))
    api.delete(f"calls/{api.post('calls', name='Followed')}")
    more = api.get(f"system/eventLog?since={newest + 1}&level=info")
    expect(any("Followed" in line.findtext("text") for line in more), "following shows nothing")


@case
def a_part_is_told_in_detail_while_it_is_asked_for(world):
    api = world.server.api

    def traced(part):
        return [line.findtext("text")
                for line in api.get(f"system/eventLog?limit=1000&filter={part}+trace")]
    api.put("system/timedLogging", sip=600, api=600)
    left = int(api.get("system/timedLogging").findtext("sip"))
    expect(590 < left <= 600, "seconds left:", left)
    phone = Baresip(world, 3).join()
    said = traced("SIP")
    for part in ("incoming UDP data from ", "outgoing UDP data to ", "SIP trace: INVITE sip:",
                 "SIP trace: SIP/2.0 200 OK", "SIP trace: m=audio "):
        expect(any(part in line for line in said), "no", part, "in", said[:5])
    expect(any('GET for "/api/v1/system/timedLogging"' in line for line in traced("API")),
           "the API's requests are not told")
    expect_equal(traced("DNS"), [], "what was not asked for")
    # What would open a door is not told, whole or in two pieces.
    body = "v=0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:TheSecret\r\na=ice-pwd:TheSecret\r\n7\r\n"
    message = (f"OPTIONS sip:demo@{network.SERVER} SIP/2.0\r\nAuthorization: Digest TheSecret\r\n"
               f"Via: SIP/2.0/TCP x;branch=z9hG4bKt\r\nContent-Length: {len(body)}\r\n\r\n{body}")
    network.Machine(4).socket().sendto(message.encode(), (network.SERVER, SIP_PORT))
    half = message.index("TheSecret") - 3
    with network.Machine(4).socket(socket.SOCK_STREAM) as pieces:
        pieces.connect((network.SERVER, SIP_PORT))
        for piece in (message[:half], message[half:]):
            pieces.sendall(piece.encode())
            time.sleep(0.3)  # so that they come one by one
    wait_for("both are told", lambda: sum("OPTIONS" in line for line in traced("SIP")) >= 2, 5)
    said = traced("SIP")
    expect(not any("TheSecret" in line for line in said), "a secret is told:",
           [line for line in said if "TheSecret" in line])
    for part in ("Authorization: ...", "a=crypto: ...", "a=ice-pwd: ..."):
        expect(any(part in line for line in said), "no", part, "in", said[-8:])
    api.put("system/timedLogging", sip=0, api=0)
    count = len(traced("SIP"))
    phone.hang_up()
    phone.wait_event("CALL_CLOSED")
    world.server.wait_empty(transactions=False)
    expect_equal(len(traced("SIP")), count, "lines after it was turned off")


@case
def an_address_that_cannot_be_used_is_told_once(world):
    api = world.server.api

    def told(address):
        return int(api.get(f"system/eventLog?limit=0&filter={address}").get("total"))
    bridge = api.post("webBridges", url="c2w://nowhere.example:99999")
    for number in range(3):
        api.put("system/configuration/cluster", uniqueName=f"bridge{number}")
    expect_equal(told("c2w://nowhere.example:99999"), 1, "lines about the address")
    api.put(f"webBridges/{bridge}", url="c2w://nowhere.example:88888")
    expect_equal(told("c2w://nowhere.example:88888"), 1, "lines about another one")
    api.delete(f"webBridges/{bridge}")
    api.put("system/configuration/cluster", uniqueName="")


@case
def the_event_log_is_searched_and_sent_to_a_server(world):
    server = world.server
    said = server.command("mmp", "syslog", "search", "call bridge is ready")
    expect(said[0] == 0 and "up to 2000 call legs" in said[1], said)
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listener.bind(("127.0.0.1", 5514))
    listener.settimeout(0.2)
    status, said = server.command("mmp", "syslog", "server", "add", "127.0.0.1", "5514")
    expect(status == 0 and "SUCCESS" in said, said)
    heard = []

    def line_of_the_call():
        server.api.delete(f"calls/{server.api.post('calls', name='Sent Elsewhere')}")
        try:
            while True:
                heard.append(listener.recv(4096).decode())
        except TimeoutError:
            pass
        return next((line for line in heard if "Sent Elsewhere" in line), None)
    line = wait_for(lambda: f"a line, of {heard}", line_of_the_call, 10)
    expect(re.match(r"<14>1 20\d\d-\d\d-\d\dT[\d:.]+Z \S+ callbridge \d+ - - conference ", line), line)
    status, said = server.command("mmp", "syslog", "server", "del", "127.0.0.1")
    expect(status == 0, said)
    listener.close()


if __name__ == "__main__":
    main(lambda world: setattr(world, "server", Server(world)))
