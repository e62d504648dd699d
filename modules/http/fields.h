/* fields.h - the headers that say how long the request is, and what else a
 * server must obey: checked one by one, and together when they are all
 * there. */
#ifndef HTTP_FIELDS_H
#define HTTP_FIELDS_H

#include "modules/http/intake.h"

/* Most headers are none of ours, as their length and first letter tell. */
static inline bool fields_may_matter(const char *name, size_t size) {
  static const char first[32] = {
    [4] = 'h', [6] = 'e', [10] = 'c', [14] = 'c', [17] = 't'};
  return size < sizeof first && (name[0] | 0x20) == first[size];
}

/* A line "name:value", where `value` is `size` bytes from behind the white
 * space on; `raw` of them with that at its end. 0, or what intake_refuse
 * returned. */
int fields_add(struct intake *intake, const char *name, size_t name_size,
               const char *value, size_t size, size_t raw);
/* No request may have it among its trailers. */
bool fields_is_forbidden_trailer(const char *name, size_t size);
/* All of them are there: sets how the body comes. */
int fields_finish(struct intake *intake);

/* May it be in a token (RFC 9110, 5.6.2)? */
bool fields_is_token_byte(unsigned char c);
bool fields_is_token(const char *text, size_t size);

#endif
