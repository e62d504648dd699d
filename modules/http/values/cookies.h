/* cookies.h - the pairs of a Cookie header, one after the other, where they lie. */
#ifndef HTTP_VALUES_COOKIES_H
#define HTTP_VALUES_COOKIES_H

#include <stdbool.h>
#include <stddef.h>

struct cookie { /* parts of the header */
  const char *name, *value;
  size_t name_size, value_size;
};

/* Takes the next pair off the header; false: there is none. A name has at least
 * one byte; a value is without its quotes, and not decoded yet. */
bool cookies_next(const char **header, size_t *size, struct cookie *cookie);
/* What a value stands for: "%" with two digits is a byte. There is room for the
 * value; returns how many bytes there are. */
size_t cookies_decode(char *to, const char *value, size_t size);

#endif
