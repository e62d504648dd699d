/* deflater.c - gzip and deflate (RFC 1952, RFC 1950), written by zlib.
 *
 * What zlib needs for one, a quarter of a megabyte, takes longer to get from
 * the system than a short text takes to be compressed: so a few are kept for
 * the next. They are only taken and given back on the loop. */
#include <stdlib.h>
#include <uv.h>
#include <zlib.h>

#include "host/codec/codec.h"

enum { WINDOW_BITS = 15, GZIP = 16, MEMORY_LEVEL = 8, DEFAULT = 6 };
enum { SLOW = 7, AT_MOST = 16384, AT_MOST_SLOW = 2048 };
enum { KEPT_MOST = 4 };

struct deflater {
  struct codec codec; /* first member */
  z_stream z;
  enum coding coding;
  int level;
  struct deflater *next; /* in `kept` */
};

/* Memory that no script knows of, as malloc's. */
static struct deflater *kept;
static int kept_count;

static const int flushes[] = {Z_NO_FLUSH, Z_SYNC_FLUSH, Z_FINISH};

static int run(struct codec *codec, struct codec_io *io, enum codec_step step) {
  z_stream *z = &((struct deflater *)codec)->z;
  z->next_in = (z_const Bytef *)io->in;
  z->avail_in = (uInt)io->in_left;
  z->next_out = io->out;
  z->avail_out = (uInt)io->out_left;
  int result = deflate(z, flushes[step]);
  *io = (struct codec_io){z->next_in, z->avail_in, z->next_out, z->avail_out};
  if (result == Z_STREAM_END) return CODEC_DONE;
  if (result != Z_OK && result != Z_BUF_ERROR)
    return codec_fail(codec, UV_EINVAL, "zlib is out of order");
  return z->avail_out == 0 || step == CODEC_FINISH ? CODEC_ROOM : CODEC_DONE;
}

/* ---- one, and the next one ----------------------------------------------- */

static void let_go(struct codec *codec) {
  struct deflater *deflater = (struct deflater *)codec;
  if (kept_count < KEPT_MOST && deflateReset(&deflater->z) == Z_OK) {
    deflater->next = kept;
    kept = deflater;
    kept_count++;
    return;
  }
  deflateEnd(&deflater->z);
  free(deflater);
}

static const struct codec_kind kind = {.run = run, .free = let_go};

static struct deflater *take(enum coding coding, int level) {
  for (struct deflater **at = &kept; *at != NULL; at = &(*at)->next) {
    struct deflater *found = *at;
    if (found->coding != coding || found->level != level) continue;
    *at = found->next;
    kept_count--;
    return found;
  }
  return NULL;
}

struct codec *deflater_new(enum coding coding, int level) {
  if (level == LEVEL_DEFAULT) level = DEFAULT;
  struct deflater *deflater = take(coding, level);
  if (deflater != NULL) return &deflater->codec;
  deflater = calloc(1, sizeof *deflater);
  if (deflater == NULL) return NULL;
  int bits = WINDOW_BITS + (coding == CODING_GZIP ? GZIP : 0);
  if (deflateInit2(&deflater->z, level, Z_DEFLATED, bits, MEMORY_LEVEL,
                   Z_DEFAULT_STRATEGY) != Z_OK) {
    free(deflater);
    return NULL;
  }
  deflater->codec.kind = &kind;
  deflater->codec.at_most = level < SLOW ? AT_MOST : AT_MOST_SLOW;
  deflater->coding = coding;
  deflater->level = level;
  return &deflater->codec;
}
