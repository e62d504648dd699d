/* fields.c - Host, Content-Length, Transfer-Encoding, Connection and Expect.
 *
 * Nothing here is mended. Whoever stands before us (a proxy) may have mended
 * it otherwise: so what is doubled, in another spelling or contradictory is
 * refused (RFC 9112, 6.3, and 11.2 for what follows from it). */
#include "modules/http/fields.h"

#include <string.h>

#include "modules/http/authority.h"
#include "modules/http/lines.h"
#include "modules/http/target.h"

enum { /* bits of intake->seen */
       HOST = 1,
       LENGTH = 2,
       ENCODING = 4,
       CLOSE = 8,
       KEEP_ALIVE = 16,
       CONTINUE = 32,
};

enum { LENGTH_DIGITS = 19 }; /* fit 64 bits, and a signed 64 bits nearly */

/* One that may be there once only. */
static bool is_first(struct intake *intake, int bit) {
  if (intake->seen & bit) return false;
  intake->seen |= (uint8_t)bit;
  return true;
}

/* Proxies have disagreed about tabs, and about white space at the end: in what
 * frames the body there may be spaces before the value only. */
static bool is_plain(const char *name_end, const char *value, size_t size,
                     size_t raw) {
  return size == raw &&
         memchr(name_end, '\t', (size_t)(value - name_end)) == NULL;
}

/* Where the target names a host too, it must be this one (RFC 9112, 3.2): one
 * reader goes by the target, another by Host. */
static bool is_host_of_target(const struct intake *intake, const char *host,
                              size_t size) {
  size_t target_size, length;
  const char *target = lines_target(intake, &target_size);
  const char *authority = target_authority(target, target_size, &length);
  return authority == NULL ||
         (length == size && head_alike(authority, host, size));
}

static int add_host(struct intake *intake, const char *value, size_t size) {
  if (!is_first(intake, HOST))
    return intake_refuse(intake, 400, "more than one Host");
  if (!authority_is_valid(value, size))
    return intake_refuse(intake, 400, "Host is malformed");
  if (!is_host_of_target(intake, value, size))
    return intake_refuse(intake, 400, "Host is not that of the target");
  return 0;
}

static int add_length(struct intake *intake, const char *value, size_t size,
                      bool plain) {
  if (!is_first(intake, LENGTH))
    return intake_refuse(intake, 400, "more than one Content-Length");
  if (!plain)
    return intake_refuse(intake, 400, "Content-Length with white space");
  uint64_t length = 0;
  for (size_t i = 0; i < size; i++) {
    unsigned digit = (unsigned)value[i] - '0';
    if (digit > 9 || i == LENGTH_DIGITS) size = 0;
    length = 10 * length + digit;
  }
  if (size == 0)
    return intake_refuse(intake, 400, "Content-Length is malformed");
  intake->length = length;
  return 0;
}

static bool is_space(char c) {
  return c == ' ' || c == '\t';
}

/* The next element of a list "a, b" from *at on, without its white space. */
static bool next_element(const char *list, size_t size, size_t *at,
                         const char **element, size_t *length) {
  if (*at > size) return false;
  const char *comma = memchr(list + *at, ',', size - *at);
  size_t begin = *at, end = comma ? (size_t)(comma - list) : size;
  *at = end + 1;
  while (begin < end && is_space(list[begin])) begin++;
  while (end > begin && is_space(list[end - 1])) end--;
  *element = list + begin;
  *length = end - begin;
  return true;
}

bool fields_is_token_byte(unsigned char c) {
  return c > ' ' && c < 0x7f && strchr("\"(),/:;<=>?@[\\]{}", c) == NULL;
}

bool fields_is_token(const char *text, size_t size) {
  for (size_t i = 0; i < size; i++)
    if (!fields_is_token_byte((unsigned char)text[i])) return false;
  return size > 0;
}

/* Not just "chunked": is it at least a list of codings of which it is the last?
 * Then it is right, and more than we can do. */
static int refuse_encoding(struct intake *intake, const char *list,
                           size_t size) {
  size_t at = 0, length;
  const char *coding;
  bool chunked = false;
  while (next_element(list, size, &at, &coding, &length)) {
    if (chunked || !fields_is_token(coding, length))
      return intake_refuse(intake, 400, "Transfer-Encoding is malformed");
    chunked = length == 7 && head_same(coding, "chunked", 7);
  }
  if (!chunked)
    return intake_refuse(intake, 400, "Transfer-Encoding without chunked");
  return intake_refuse(intake, 501, "a Transfer-Encoding besides chunked");
}

static int add_encoding(struct intake *intake, const char *value, size_t size,
                        bool plain) {
  if (!is_first(intake, ENCODING))
    return intake_refuse(intake, 400, "more than one Transfer-Encoding");
  if (!plain)
    return intake_refuse(intake, 400, "Transfer-Encoding with white space");
  if (intake->head->minor == 0)
    return intake_refuse(intake, 400, "Transfer-Encoding in HTTP/1.0");
  if (size != 7 || !head_same(value, "chunked", 7))
    return refuse_encoding(intake, value, size);
  return 0;
}

static void add_connection(struct intake *intake, const char *value,
                           size_t size) {
  size_t at = 0, length;
  const char *option;
  while (next_element(value, size, &at, &option, &length)) {
    if (length == 5 && head_same(option, "close", 5)) intake->seen |= CLOSE;
    if (length == 10 && head_same(option, "keep-alive", 10))
      intake->seen |= KEEP_ALIVE;
  }
}

/* HTTP/1.0 does not know it: there it is ignored (RFC 9110, 10.1.1). */
static int add_expect(struct intake *intake, const char *value, size_t size) {
  if (intake->head->minor == 0) return 0;
  if (size != 12 || !head_same(value, "100-continue", 12))
    return intake_refuse(intake, 417, "an expectation besides 100-continue");
  intake->seen |= CONTINUE;
  return 0;
}

int fields_add(struct intake *intake, const char *name, size_t name_size,
               const char *value, size_t size, size_t raw) {
  const char *end = name + name_size;
  if (name_size == 4 && head_same(name, "host", 4))
    return add_host(intake, value, size);
  if (name_size == 6 && head_same(name, "expect", 6))
    return add_expect(intake, value, size);
  if (name_size == 10 && head_same(name, "connection", 10))
    add_connection(intake, value, size);
  if (name_size == 14 && head_same(name, "content-length", 14))
    return add_length(intake, value, size, is_plain(end, value, size, raw));
  if (name_size == 17 && head_same(name, "transfer-encoding", 17))
    return add_encoding(intake, value, size, is_plain(end, value, size, raw));
  return 0;
}

int fields_finish(struct intake *intake) {
  unsigned seen = intake->seen;
  bool old = intake->head->minor == 0;
  if (!old && !(seen & HOST)) return intake_refuse(intake, 400, "no Host");
  if ((seen & LENGTH) && (seen & ENCODING))
    return intake_refuse(intake, 400,
                         "both Content-Length and Transfer-Encoding");
  intake->chunked = (seen & ENCODING) != 0;
  intake->has_body = intake->chunked || intake->length > 0;
  intake->left = intake->length;
  intake->expects_continue = intake->has_body && (seen & CONTINUE);
  intake->keep_alive = !(seen & CLOSE) && (!old || (seen & KEEP_ALIVE));
  return 0;
}

/* Of framing, routing, and of how the body is to be understood: too late there
 * (RFC 9110, 6.5.1), and a trap for who merges trailers with headers. */
bool fields_is_forbidden_trailer(const char *name, size_t size) {
  static const char *const names[] = {
    "host",
    "expect",
    "connection",
    "content-length",
    "trailer",
    "te",
    "upgrade",
    "transfer-encoding",
    "keep-alive",
    "content-type",
    "content-range",
    "content-encoding",
    "authorization",
    "cookie",
    "max-forwards",
    "proxy-authorization",
    "range",
    "cache-control",
    "proxy-connection",
  };
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
    if (strlen(names[i]) == size && head_same(name, names[i], size))
      return true;
  return false;
}
