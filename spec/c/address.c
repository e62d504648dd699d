/* address.c - addresses are read, resolved and written; what is none is not. */
#include "host/address.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

static void expect(const char *text, const char *host, const char *port) {
  struct address address;
  assert(address_parse(text, &address) == 0);
  assert(!address.is_unix);
  assert(strcmp(address.host, host) == 0);
  assert(strcmp(address.port, port) == 0);
}

static void expect_unix(const char *text, const char *path) {
  struct address address;
  assert(address_parse(text, &address) == 0);
  assert(address.is_unix);
  assert(strcmp(address.host, path) == 0);
}

static void refuse(const char *text, int status) {
  struct address address;
  int got = address_parse(text, &address);
  if (got != status) fprintf(stderr, "'%s': %d\n", text, got);
  assert(got == status);
}

static void test_parse(void) {
  expect("127.0.0.1:80", "127.0.0.1", "80");
  expect(":8080", "", "8080");
  expect("host.example:0", "host.example", "0");
  expect("[::1]:65535", "::1", "65535");
  expect("[fe80::1%lo]:1", "fe80::1%lo", "1");
  expect("localhost:00080", "localhost", "00080");
  expect_unix("unix:/tmp/a b", "/tmp/a b");
  expect_unix("unix:relative", "relative");
  expect_unix("unix:/with:colon", "/with:colon");
  expect_unix("unix:@name", "@name");
}

static void test_refuse(void) {
  static const char *const bad[] = {
    "",          "80",       "host",       "host:",      ":",
    "host:http", "host:-1",  "host:65536", "host:99999", "host:100000",
    "host: 80",  "host:80 ", "host:8 0",   "::1:80",     "[::1]",
    "[::1:80",   "[::1]80",  "[::1]x:80",  "[:80",       "a[::1]:80",
    "1:2:3",     "unix:",
  };
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
    refuse(bad[i], UV_EINVAL);
}

/* At every length: it fits, or is refused, and nothing lies outside. */
static void test_lengths(void) {
  struct sockaddr_un un;
  char text[600];
  for (size_t length = 1; length < 400; length++) {
    memset(text, 'x', length);
    strcpy(text + length, ":80");
    struct address address;
    int status = address_parse(text, &address);
    assert(status == (length < sizeof address.host ? 0 : UV_ENAMETOOLONG));
    memcpy(text, "unix:", 5);
    memset(text + 5, 'x', length);
    text[5 + length] = '\0';
    status = address_parse(text, &address);
    assert(status == (length < sizeof un.sun_path ? 0 : UV_ENAMETOOLONG));
  }
}

static void formats(const char *text, bool any, const char *expected) {
  struct address address;
  struct sockaddr_storage name;
  char out[ADDRESS_TEXT];
  memset(&name, 0, sizeof name);
  assert(address_parse(text, &address) == 0);
  assert(address_resolve(&address, any, &name) == 0);
  address_format((struct sockaddr *)&name, out);
  if (strcmp(out, expected) != 0) fprintf(stderr, "%s: %s\n", text, out);
  assert(strcmp(out, expected) == 0);
}

static void test_resolve(void) {
  formats("127.0.0.1:80", false, "127.0.0.1:80");
  formats(":80", true, "[::]:80");
  formats(":80", false, "127.0.0.1:80");
  formats("localhost:1", true, "127.0.0.1:1");
  formats("[::1]:65535", false, "[::1]:65535");
  formats("[0:0:0:0:0:0:0:1]:7", false, "[::1]:7");
  struct address address;
  struct sockaddr_storage name;
  assert(address_parse("example.org:80", &address) == 0);
  assert(address_resolve(&address, false, &name) == UV_EAI_NONAME);
  assert(address_port(&address) == 80);
}

static void test_format_host(void) {
  struct sockaddr_in6 name;
  char out[ADDRESS_TEXT], zone[UV_IF_NAMESIZE];
  size_t size = sizeof zone;
  assert(uv_ip6_addr("fe80::1", 80, &name) == 0);
  assert(address_format_host((struct sockaddr *)&name, out));
  assert(strcmp(out, "fe80::1") == 0);
  name.sin6_scope_id = 1; /* the first interface, mostly "lo" */
  if (uv_if_indextoiid(1, zone, &size) == 0) {
    assert(address_format_host((struct sockaddr *)&name, out));
    assert(strncmp(out, "fe80::1%", 8) == 0 && strcmp(out + 8, zone) == 0);
    address_format((struct sockaddr *)&name, out);
    formats(out, false, out); /* and back */
  }
  name.sin6_family = AF_UNIX;
  assert(!address_format_host((struct sockaddr *)&name, out));
}

static void test_format_unix(void) {
  struct sockaddr_un name;
  char out[ADDRESS_TEXT];
  memset(&name, 0, sizeof name);
  name.sun_family = AF_UNIX;
  address_format((struct sockaddr *)&name, out);
  assert(strcmp(out, "unix:") == 0);
  memset(name.sun_path, 'p', sizeof name.sun_path - 1);
  address_format((struct sockaddr *)&name, out);
  assert(strlen(out) == 5 + sizeof name.sun_path - 1);
  memcpy(name.sun_path, "\0abstract", 10);
  address_format((struct sockaddr *)&name, out);
  assert(strncmp(out, "unix:@abstract", 14) == 0);
}

int main(void) {
  test_parse();
  test_refuse();
  test_lengths();
  test_resolve();
  test_format_host();
  test_format_unix();
  puts("address: ok");
  return 0;
}
