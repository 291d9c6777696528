# SPDX-License-Identifier: Apache-2.0
"""What those who watch a bridge use: metrics and the board made of them."""
import re

from baresip import Baresip
from harness import case, expect, expect_equal, main
from server import Server


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


if __name__ == "__main__":
    main(lambda world: setattr(world, "server", Server(world)))
