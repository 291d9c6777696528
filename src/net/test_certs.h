/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates for the tests of net/: a folder of them, made once per test program.
 *
 *	authority    trusted        good, expired, client: signed by it
 *	later        likewise, from in two days on
 *	between      an authority, signed by the first, that signed `leaf`
 *	other        another authority that signed `stranger`
 *	self         self-signed, for "host.test" and 127.0.0.1
 *
 * Each is NAME.crt and NAME.key; `good` and `expired` are for "host.test", 127.0.0.1 and ::1. */
#ifndef NET_TEST_CERTS_H
#define NET_TEST_CERTS_H

/* The path of "good.crt", ...; valid until the eighth call after this one. */
const char *test_cert(const char *file);

#endif
