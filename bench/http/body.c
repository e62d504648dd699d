/* body - see body.h. The invariant: `first` is the first body as it was sent,
 * so far; once `is_known` it is whole and right. */
#include "body.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

#include "answer.h"

static struct {
  char *bytes;
  size_t size;
} file, first;

static bool is_gzip, is_known;

void body_expect(const char *path, bool gzip) {
  FILE *stream = fopen(path, "rb");
  file.bytes = malloc(BODY_MOST);
  first.bytes = malloc(BODY_MOST);
  if (stream == NULL || file.bytes == NULL || first.bytes == NULL)
    answer_fail("cannot read %s", path);
  file.size = fread(file.bytes, 1, BODY_MOST, stream);
  if (file.size == 0 || file.size == BODY_MOST)
    answer_fail("%s is empty, or too long", path);
  fclose(stream);
  is_gzip = gzip;
}

void body_begin(const char *encoding) {
  bool gzip = encoding != NULL && strncasecmp(encoding, "gzip\r", 5) == 0;
  if (gzip != is_gzip || (encoding != NULL && !gzip))
    answer_fail("not in the encoding that is expected");
}

void body_take(size_t at, const char *bytes, size_t size) {
  size_t most = is_known ? first.size : BODY_MOST;
  if (at > most || size > most - at) answer_fail("too long a body");
  if (!is_known)
    memcpy(first.bytes + at, bytes, size);
  else if (memcmp(first.bytes + at, bytes, size) != 0)
    answer_fail("another body than the one before");
}

static void check_plain(void) {
  if (first.size != file.size ||
      memcmp(first.bytes, file.bytes, file.size) != 0)
    answer_fail("a body that is not the file");
}

static void check_gzip(void) {
  z_stream stream = {.next_in = (Bytef *)first.bytes,
                     .avail_in = (uInt)first.size};
  size_t room = file.size + 1;
  char *text = malloc(room);
  if (text == NULL || inflateInit2(&stream, MAX_WBITS + 16) != Z_OK)
    answer_fail("no memory");
  stream.next_out = (Bytef *)text;
  stream.avail_out = (uInt)room;
  if (inflate(&stream, Z_FINISH) != Z_STREAM_END || stream.avail_in > 0)
    answer_fail("a body that is not gzip, or not of this length");
  if (stream.total_out != file.size || memcmp(text, file.bytes, file.size) != 0)
    answer_fail("a body that decodes to another text");
  inflateEnd(&stream);
  free(text);
}

void body_end(size_t size) {
  if (!is_known) {
    first.size = size;
    if (is_gzip)
      check_gzip();
    else
      check_plain();
    is_known = true;
  }
  if (size != first.size)
    answer_fail("a body of %zu bytes, not %zu", size, first.size);
}

size_t body_size(void) {
  return first.size;
}
