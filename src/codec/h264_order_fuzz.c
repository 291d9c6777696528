/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as access units of H.264, one behind the other: each begins with its length. */
#include "base/bytes.h"
#include "base/check.h"
#include "codec/h264_order.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct h264_order order = { 0 };
	struct reader r = reader_of(bytes, len);
	while (reader_left(&r) >= 2) {
		const size_t wanted = reader_u16(&r);
		const size_t unit_len = wanted < reader_left(&r) ? wanted : reader_left(&r);
		const uint8_t *unit = reader_take(&r, unit_len);
		(void)h264_order_follows(&order, unit, unit_len);
		CHECK(order.reference <= UINT16_MAX);
	}
	return 0;
}
