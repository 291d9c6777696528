/* SPDX-License-Identifier: Apache-2.0 */
#include "dtls/dtls_record.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "base/check.h"
#include "dtls/dtls_internal.h"

enum {
	VERSION_DTLS10 = 0xFEFF, /* stands in the record of a ClientHello (RFC 6347 s4.2.1) */
	VERSION_DTLS12 = 0xFEFD,
	OVERHEAD_BYTES = DTLS_RECORD_NONCE_BYTES + DTLS_RECORD_TAG_BYTES,
	AAD_BYTES = 13,
	WINDOW_BITS = 64,
};

bool
dtls_record_next(struct reader *r, struct dtls_record_view *out)
{
	struct reader next = *r;
	const uint8_t *header = next.bytes + next.at;
	const uint8_t content = reader_u8(&next);
	const uint16_t version = reader_u16(&next);
	const uint16_t epoch = reader_u16(&next);
	const uint64_t high = reader_u16(&next);
	const uint64_t low = reader_u32(&next);
	const uint16_t len = reader_u16(&next);
	const uint8_t *body = reader_take(&next, len);
	if (next.failed || (version != VERSION_DTLS10 && version != VERSION_DTLS12))
		return false;

	*out = (struct dtls_record_view){
		.content = content,
		.epoch = epoch,
		.sequence = high << 32 | low,
		.header = header,
		.body = body,
		.len = len,
	};
	*r = next;
	return true;
}

static const EVP_CIPHER *
cipher_of(const struct dtls_record *record)
{
	return record->key_len == 16 ? EVP_aes_128_gcm() : EVP_aes_256_gcm();
}

/* RFC 5288 s3: salt, then the explicit part. */
static void
nonce_of(uint8_t out[12], const struct dtls_record_side *side, const uint8_t explicit_part[8])
{
	memcpy(out, side->salt, sizeof side->salt);
	memcpy(out + sizeof side->salt, explicit_part, DTLS_RECORD_NONCE_BYTES);
}

/* RFC 5246 s6.2.3.3, with epoch and sequence number for the latter alone (RFC 6347 s4.1.2.1). */
static void
aad_of(uint8_t out[AAD_BYTES], uint64_t sequence, uint8_t content, size_t plain_len)
{
	struct writer w = writer_of(out, AAD_BYTES);
	writer_u64(&w, (uint64_t)1 << 48 | sequence);
	writer_u8(&w, content);
	writer_u16(&w, VERSION_DTLS12);
	writer_u16(&w, (uint16_t)plain_len);
	CHECK(!w.failed && w.at == AAD_BYTES);
}

int
dtls_record_decrypt(const struct dtls_record *record, const struct dtls_record_side *side,
                    const struct dtls_record_view *view, uint8_t out[DTLS_RECORD_PLAIN_MAX])
{
	if (record->key_len == 0 || view->epoch != 1 || view->len < OVERHEAD_BYTES ||
	    view->len > OVERHEAD_BYTES + DTLS_RECORD_PLAIN_MAX)
		return -1;
	const int plain_len = view->len - OVERHEAD_BYTES;
	uint8_t nonce[12];
	uint8_t aad[AAD_BYTES];
	uint8_t tag[DTLS_RECORD_TAG_BYTES];
	nonce_of(nonce, side, view->body);
	aad_of(aad, view->sequence, view->content, (size_t)plain_len);
	memcpy(tag, view->body + view->len - sizeof tag, sizeof tag);

	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	if (ctx == NULL)
		return -1;
	int len = 0;
	const bool ok =
		EVP_DecryptInit_ex(ctx, cipher_of(record), NULL, side->key, nonce) == 1 &&
		EVP_DecryptUpdate(ctx, NULL, &len, aad, AAD_BYTES) == 1 &&
		EVP_DecryptUpdate(ctx, out, &len, view->body + DTLS_RECORD_NONCE_BYTES,
	                          plain_len) == 1 &&
		EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, sizeof tag, tag) == 1 &&
		EVP_DecryptFinal_ex(ctx, out + len, &len) == 1;
	EVP_CIPHER_CTX_free(ctx);
	return ok ? plain_len : -1;
}

/* RFC 6347 s4.1.2.6. */
static bool
is_replay(const struct dtls_record_side *read, uint64_t sequence)
{
	if (sequence > read->sequence)
		return false;
	const uint64_t back = read->sequence - sequence;
	return back >= WINDOW_BITS || (read->window >> back & 1) != 0;
}

static void
mark_seen(struct dtls_record_side *read, uint64_t sequence)
{
	if (sequence <= read->sequence) {
		read->window |= (uint64_t)1 << (read->sequence - sequence);
		return;
	}
	const uint64_t forward = sequence - read->sequence;
	read->window = forward < WINDOW_BITS ? read->window << forward | 1 : 1;
	read->sequence = sequence;
}

int
dtls_record_open(struct dtls_record *record, const struct dtls_record_view *view,
                 uint8_t out[DTLS_RECORD_PLAIN_MAX])
{
	if (is_replay(&record->read, view->sequence))
		return -1;
	const int len = dtls_record_decrypt(record, &record->read, view, out);
	if (len >= 0)
		mark_seen(&record->read, view->sequence);
	return len;
}

static void
write_header(struct writer *w, enum dtls_content content, uint16_t epoch, uint64_t sequence,
             size_t len)
{
	writer_u8(w, (uint8_t)content);
	writer_u16(w, VERSION_DTLS12);
	writer_u16(w, epoch);
	writer_u16(w, (uint16_t)(sequence >> 32));
	writer_u32(w, (uint32_t)sequence);
	writer_u16(w, (uint16_t)len);
}

void
dtls_record_seal(struct dtls_record *record, struct writer *w, enum dtls_content content,
                 const uint8_t *plain, size_t len)
{
	CHECK(record->key_len == 16 || record->key_len == 32);
	CHECK(len <= DTLS_RECORD_PLAIN_MAX);
	const uint64_t sequence = record->write.sequence++;
	uint8_t explicit_part[DTLS_RECORD_NONCE_BYTES];
	struct writer number = writer_of(explicit_part, sizeof explicit_part);
	writer_u64(&number, record->nonce++);

	write_header(w, content, 1, sequence, len + OVERHEAD_BYTES);
	writer_bytes(w, explicit_part, sizeof explicit_part);
	uint8_t *sealed = writer_take(w, len);
	uint8_t *tag = writer_take(w, DTLS_RECORD_TAG_BYTES);
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	if (w->failed || ctx == NULL) {
		w->failed = true;
		EVP_CIPHER_CTX_free(ctx);
		return;
	}

	uint8_t nonce[12];
	uint8_t aad[AAD_BYTES];
	int done = 0;
	nonce_of(nonce, &record->write, explicit_part);
	aad_of(aad, sequence, (uint8_t)content, len);
	w->failed = EVP_EncryptInit_ex(ctx, cipher_of(record), NULL, record->write.key, nonce) != 1 ||
	            EVP_EncryptUpdate(ctx, NULL, &done, aad, AAD_BYTES) != 1 ||
	            EVP_EncryptUpdate(ctx, sealed, &done, plain, (int)len) != 1 ||
	            EVP_EncryptFinal_ex(ctx, sealed + done, &done) != 1 ||
	            EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, DTLS_RECORD_TAG_BYTES, tag) != 1;
	EVP_CIPHER_CTX_free(ctx);
}

void
dtls_record_write_last_flight(struct dtls_record *record, struct writer *w)
{
	CHECK(record->finished_len != 0);
	write_header(w, DTLS_CONTENT_CHANGE_CIPHER_SPEC, 0, record->plain_sequence++, 1);
	writer_u8(w, 1);
	dtls_record_seal(record, w, DTLS_CONTENT_HANDSHAKE, record->finished, record->finished_len);
}

void
dtls_record_wipe(struct dtls_record *record)
{
	OPENSSL_cleanse(record, sizeof *record);
}
