/* chunks.h - a chunked body is taken apart, up to its trailers. */
#ifndef HTTP_CHUNKS_H
#define HTTP_CHUNKS_H

#include "modules/http/intake.h"

enum chunks_phase {
  CHUNKS_SIZE,      /* the first digit of a size, then more of them */
  CHUNKS_EXTENSION, /* from ";" to CR */
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
