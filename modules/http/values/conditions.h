/* conditions.h - RFC 9110, 13: does a request still want what there is, given what
 * it says it has? Pure functions: no Lua, no allocation. */
#ifndef HTTP_VALUES_CONDITIONS_H
#define HTTP_VALUES_CONDITIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct value { /* of a header; text NULL: there is none */
  const char *text;
  size_t size;
};

struct conditions { /* of a request; lines of one name are joined by commas */
  struct value match, none_match, modified_since, unmodified_since, range;
  bool reads; /* GET or HEAD */
};

struct validators {  /* of what there is */
  struct value etag; /* "..." or W/"..."; or none */
  int64_t modified;  /* seconds since 1970 */
  bool has_modified;
  int64_t now;
};

enum verdict { VERDICT_GO, VERDICT_NOT_MODIFIED, VERDICT_FAILED };

/* In the order of section 13.2.2: 304, 412, or neither. */
enum verdict conditions_judge(const struct conditions *conditions,
                              const struct validators *validators);
/* Does If-Range, which is there, allow ranges? Else all of it is sent. */
bool conditions_allow_range(const struct conditions *conditions,
                            const struct validators *validators);
/* Is the tag in a list as If-Match has it: "a", W/"b" ... or "*"? A strong
 * comparison finds no weak tags. Behind what is malformed nothing is found. */
bool conditions_list_has(const struct value *list, const struct value *etag,
                         bool strong);

#endif
