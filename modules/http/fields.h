/* fields.h - the headers that say how long the request is, and what else a
 * server must obey: checked one by one, and together when they are all there. */
#ifndef HTTP_FIELDS_H
#define HTTP_FIELDS_H

#include "modules/http/intake.h"

/* A line "name:value", where `value` is `size` bytes from behind the white space
 * on; `raw` of them with that at its end. 0, or what intake_refuse returned. */
int fields_add(struct intake *intake, const char *name, size_t name_size,
               const char *value, size_t size, size_t raw);
/* No request may have it among its trailers. */
bool fields_is_forbidden_trailer(const char *name, size_t size);
/* All of them are there: sets how the body comes. */
int fields_finish(struct intake *intake);

#endif
