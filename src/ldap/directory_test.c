/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: what the owner of a directory sees of orders: refused, cancelled, unreachable, and never a
 * login without a password.  Method: servers that are not there, or take a connection and say
 * nothing.  What a real server answers is in tests/e2e/test_ldap.py. */
#include "ldap/directory_internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <semaphore.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "base/test.h"

struct owner {
	struct directory *directory;
	sem_t awake;
};

static void
wake(void *context)
{
	struct owner *owner = context;
	sem_post(&owner->awake);
}

static void
owner_make(struct owner *owner)
{
	sem_init(&owner->awake, 0, 0);
	EXPECT_EQ(directory_create(&owner->directory, wake, owner), 0);
}

static void
owner_end(struct owner *owner)
{
	directory_destroy(owner->directory);
	sem_destroy(&owner->awake);
}

/* The end of the next order. */
static enum directory_result
ended(struct owner *owner, uint32_t id)
{
	for (;;) {
		const struct directory_answer *answer = directory_take(owner->directory);
		if (answer == NULL) {
			while (sem_wait(&owner->awake) != 0)
				CHECK(errno == EINTR);
			continue;
		}
		const bool last = answer->last;
		const enum directory_result result = answer->result;
		EXPECT_EQ(answer->id, id);
		EXPECT(!last || (result == DIRECTORY_OK) == (answer->text[0] == '\0') ||
		       result == DIRECTORY_CANCELLED);
		directory_give_back(owner->directory, answer);
		if (last)
			return result;
	}
}

/* A port that takes connections, or (`backlog` < 0) one where nobody listens. */
static int
listen_on(uint16_t *port, int backlog)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
		                    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof addr;
	const int fd = socket(AF_INET, SOCK_STREAM, 0);
	EXPECT(fd >= 0);
	EXPECT_EQ(bind(fd, (struct sockaddr *)&addr, sizeof addr), 0);
	EXPECT_EQ(getsockname(fd, (struct sockaddr *)&addr, &len), 0);
	if (backlog >= 0)
		EXPECT_EQ(listen(fd, backlog), 0);
	*port = ntohs(addr.sin_port);
	return fd;
}

TEST(an_empty_password_is_wrong_without_asking)
{
	struct owner owner;
	owner_make(&owner);
	const struct directory_server server = { .host = STR("127.0.0.1"), .port = 1 };
	EXPECT_EQ(directory_check(owner.directory, 7, &server, STR("cn=a"), STR("")), 0);
	EXPECT_EQ(ended(&owner, 7), DIRECTORY_WRONG_PASSWORD);
	/* One that LDAP would cut short is empty, too. */
	EXPECT_EQ(directory_check(owner.directory, 8, &server, STR("cn=a"), STR("\0secret")), 0);
	EXPECT_EQ(ended(&owner, 8), DIRECTORY_WRONG_PASSWORD);
	EXPECT_EQ(directory_check(owner.directory, 9, &server, STR(""), STR("secret")), 0);
	EXPECT_EQ(ended(&owner, 9), DIRECTORY_WRONG_PASSWORD);
	owner_end(&owner);
}

TEST(a_server_that_is_not_there_is_unreachable)
{
	struct owner owner;
	struct directory_server server = { .host = STR("127.0.0.1") };
	owner_make(&owner);
	const int fd = listen_on(&server.port, -1);
	for (unsigned tls = DIRECTORY_PLAIN; tls <= DIRECTORY_LDAPS; tls++) {
		server.tls = (enum directory_tls)tls;
		EXPECT_EQ(directory_check(owner.directory, tls, &server, STR("cn=a"), STR("b")),
		          0);
		EXPECT_EQ(ended(&owner, tls), DIRECTORY_UNREACHABLE);
	}
	close(fd);
	owner_end(&owner);
}

TEST(an_order_that_nobody_wants_any_more_ends_soon)
{
	struct owner owner;
	struct directory_search search = { .server = { .host = STR("127.0.0.1"),
		                                       .bind_dn = STR("cn=a"),
		                                       .password = STR("b") },
		                           .base = STR("dc=x") };
	owner_make(&owner);
	const int fd = listen_on(&search.server.port, 8); /* it never answers */
	EXPECT_EQ(directory_search(owner.directory, 1, &search), 0);
	EXPECT_EQ(directory_pending(owner.directory), 1);
	directory_cancel(owner.directory, 1);
	EXPECT_EQ(ended(&owner, 1), DIRECTORY_CANCELLED);
	EXPECT_EQ(directory_pending(owner.directory), 0);
	/* And the end of everything does not wait for it. */
	for (uint32_t i = 0; i < DIRECTORY_ORDERS_MAX; i++)
		EXPECT_EQ(directory_search(owner.directory, i, &search), 0);
	EXPECT_EQ(directory_search(owner.directory, 99, &search), -EAGAIN);
	owner_end(&owner);
	close(fd);
}

TEST(what_is_too_long_is_not_asked)
{
	struct owner owner;
	char text[2 * DIRECTORY_DN_MAX];
	struct directory_search search = { .server = { .host = STR("h") } };
	owner_make(&owner);
	memset(text, 'x', sizeof text);
	search.base = (struct str){ text, sizeof text };
	EXPECT_EQ(directory_search(owner.directory, 1, &search), -EMSGSIZE);
	search.base = STR("dc=x\0dc=y");
	EXPECT_EQ(directory_search(owner.directory, 1, &search), -EMSGSIZE);
	EXPECT_EQ(directory_pending(owner.directory), 0);
	owner_end(&owner);
}

TEST(text_in_a_filter_stands_for_itself)
{
	char room[64];
	struct writer w = writer_of(room, sizeof room);
	directory_filter_escape(&w, STR("a*(b)\\\0c"));
	EXPECT_STR(writer_view(&w), "a\\2a\\28b\\29\\5c\\00c");
}

/* What is said of a certificate for "ou" with these alternative names, when "here" was asked for. */
static void
expect_why(const char *names, const char *want)
{
	uint8_t *der = NULL;
	char why[256];
	X509 *cert = X509_new();
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509_set_version(cert, X509_VERSION_3);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
	                           (const uint8_t *)"ou", -1, -1, 0);
	X509_gmtime_adj(X509_getm_notBefore(cert), -60);
	X509_gmtime_adj(X509_getm_notAfter(cert), 60);
	X509_set_pubkey(cert, key);
	if (names != NULL) {
		X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, names);
		EXPECT(extension != NULL && X509_add_ext(cert, extension, -1) == 1);
		X509_EXTENSION_free(extension);
	}
	EXPECT(X509_sign(cert, key, EVP_sha256()) > 0);
	const int len = i2d_X509(cert, &der);
	EXPECT(len > 0);
	directory_cert_why(why, sizeof why, der, (size_t)len, "here", false);
	EXPECT_STR(str_of(why), want);
	OPENSSL_free(der);
	EVP_PKEY_free(key);
	X509_free(cert);
}

TEST(a_certificate_for_others_is_told_by_the_names_that_count)
{
	char many[1024] = "DNS:a";
	expect_why(NULL, "its certificate is for \"ou\", not for \"here\"");
	expect_why("email:a@b.test", "its certificate is for \"ou\", not for \"here\"");
	expect_why("DNS:ldap.test,IP:192.0.2.7,email:a@b.test,IP:2001:db8::1",
	           "its certificate is for \"ldap.test, 192.0.2.7, 2001:db8::1\", not for \"here\"");
	for (size_t at = 5; at < 605; at += 60)
		snprintf(many + at, sizeof many - at, ",DNS:%055d", 1);
	expect_why(many, "its certificate is for \"a, 0000000000000000000000000000000000000000000000000000001, "
	                 "0000000000000000000000000000000000000000000000000000001\", not for \"here\"");
}
