/* disposition.h - what a part says of itself: the name of its field and of its
 * file, as RFC 7578 has it and as browsers write it. Pure C. */
#ifndef HTTP_FORMS_DISPOSITION_H
#define HTTP_FORMS_DISPOSITION_H

#include "modules/http/forms/parameters.h"

struct disposition {
  struct slice name, filename; /* as sent; bytes NULL: not there */
  bool name_quoted, filename_quoted;
  bool filename_extended; /* it was "filename*" */
};

/* NULL, or what is wrong with it. */
const char *disposition_read(struct slice text, struct disposition *result);
/* As they were meant; `to` has room for as many bytes as were sent. The size is
 * returned. */
size_t disposition_name(const struct disposition *disposition, char *to);
size_t disposition_filename(const struct disposition *disposition, char *to);

/* Of a Content-Type: is it multipart/form-data or the like? */
bool content_type_is(struct slice text, const char *type);
enum { BOUNDARY_MOST = 70 };
/* Its boundary: 1 to 70 bytes as RFC 2046 allows them, or none (bytes NULL). */
struct slice content_type_boundary(struct slice text);

#endif
