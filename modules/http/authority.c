/* authority.c - RFC 3986, 3.2: host [":" port], nothing else.
 *
 * A name is made of unreserved characters, "sub-delims" but the comma (two
 * hosts that somebody has joined), and "%" with two digits; its labels are
 * not empty, but for one dot at its end. No user information (RFC 9110,
 * 4.2.4), no empty host (4.2.1). An empty port is valid. */
#include "modules/http/authority.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <string.h>

enum { NAME = 1, HEX = 2, DIGIT = 4 };

static const uint8_t kinds[256] = {
  ['0'] = 7, ['1'] = 7, ['2'] = 7, ['3'] = 7, ['4'] = 7,  ['5'] = 7, ['6'] = 7,
  ['7'] = 7, ['8'] = 7, ['9'] = 7, ['a'] = 3, ['b'] = 3,  ['c'] = 3, ['d'] = 3,
  ['e'] = 3, ['f'] = 3, ['g'] = 1, ['h'] = 1, ['i'] = 1,  ['j'] = 1, ['k'] = 1,
  ['l'] = 1, ['m'] = 1, ['n'] = 1, ['o'] = 1, ['p'] = 1,  ['q'] = 1, ['r'] = 1,
  ['s'] = 1, ['t'] = 1, ['u'] = 1, ['v'] = 1, ['w'] = 1,  ['x'] = 1, ['y'] = 1,
  ['z'] = 1, ['A'] = 3, ['B'] = 3, ['C'] = 3, ['D'] = 3,  ['E'] = 3, ['F'] = 3,
  ['G'] = 1, ['H'] = 1, ['I'] = 1, ['J'] = 1, ['K'] = 1,  ['L'] = 1, ['M'] = 1,
  ['N'] = 1, ['O'] = 1, ['P'] = 1, ['Q'] = 1, ['R'] = 1,  ['S'] = 1, ['T'] = 1,
  ['U'] = 1, ['V'] = 1, ['W'] = 1, ['X'] = 1, ['Y'] = 1,  ['Z'] = 1, ['-'] = 1,
  ['_'] = 1, ['~'] = 1, ['!'] = 1, ['$'] = 1, ['&'] = 1,  ['('] = 1, [')'] = 1,
  ['*'] = 1, ['+'] = 1, [';'] = 1, ['='] = 1, ['\''] = 1,
};

static bool is(char c, int kind) {
  return (kinds[(unsigned char)c] & kind) != 0;
}

/* From the colon on, or nothing. */
static bool is_port(const char *text, size_t size) {
  unsigned port = 0;
  if (size == 0) return true;
  if (text[0] != ':' || size > 6) return false;
  for (size_t i = 1; i < size; i++) {
    if (!is(text[i], DIGIT)) return false;
    port = 10 * port + (unsigned)(text[i] - '0');
  }
  return port <= 65535;
}

static bool is_ipv6(const char *text, size_t size) {
  char copy[INET6_ADDRSTRLEN];
  struct in6_addr address;
  if (size >= sizeof copy || memchr(text, '\0', size) != NULL) return false;
  memcpy(copy, text, size);
  copy[size] = '\0';
  return inet_pton(AF_INET6, copy, &address) == 1;
}

bool authority_is_valid(const char *text, size_t size) {
  if (size > 0 && text[0] == '[') {
    const char *end = memchr(text, ']', size);
    if (end == NULL || !is_ipv6(text + 1, (size_t)(end - text - 1)))
      return false;
    return is_port(end + 1, (size_t)(text + size - end - 1));
  }
  size_t i = 0, label = 0; /* where the label that we are in begins */
  for (;;) {
    while (i < size && is(text[i], NAME)) i++;
    if (i == size || text[i] == ':') break;
    if (text[i] == '%' && size - i > 2 && is(text[i + 1], HEX) &&
        is(text[i + 2], HEX)) {
      i += 3;
    } else if (text[i] == '.' && i > label) {
      label = ++i;
    } else {
      return false;
    }
  }
  return i > 0 && is_port(text + i, size - i);
}
