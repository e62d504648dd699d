/* chunks.h - a chunked body is taken apart, up to its trailers. */
#ifndef HTTP_CHUNKS_H
#define HTTP_CHUNKS_H

#include "modules/http/intake.h"

enum chunks_phase {
  CHUNKS_SIZE,
  CHUNKS_NAME_BEGIN, /* of an extension; the first byte of it */
  CHUNKS_NAME,
  CHUNKS_VALUE_BEGIN,
  CHUNKS_VALUE,
  CHUNKS_QUOTED,
  CHUNKS_ESCAPED, /* behind a backslash */
  CHUNKS_QUOTED_END,
  CHUNKS_SIZE_LF,
  CHUNKS_DATA,
  CHUNKS_DATA_CR,
  CHUNKS_DATA_LF,
  CHUNKS_LAST_LF, /* as SIZE_LF, but of the chunk that ends the body */
  CHUNKS_TRAILERS /* all chunks have come */
};

void chunks_begin(struct intake *intake);
/* Returns how many bytes were taken: all, but where the phase is TRAILERS. The
 * decoded ones are left at `bytes`. */
size_t chunks_take(struct intake *intake, char *bytes, size_t size,
                   size_t *decoded);

#endif
