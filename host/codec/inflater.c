/* inflater.c - gzip and deflate, read by zlib.
 *
 * gzip may be several, one behind the other (RFC 1952, 2.2): they are one text.
 * What HTTP calls deflate is in zlib's format (RFC 1950), but some send it
 * without (RFC 1951): its first two bytes tell. Nothing may follow the end. */
#include <stdlib.h>
#include <uv.h>
#include <zlib.h>

#include "host/codec/codec.h"

enum { WINDOW_BITS = 15, GZIP = 16, GZIP_FIRST = 0x1f, AT_MOST = 16384 };

struct inflater {
  struct codec codec; /* first member */
  z_stream z;
  bool gzip;
  bool begun; /* z is in use */
  bool ended; /* as far as we know: with gzip another may follow */
  bool later; /* it is not the first */
  uint8_t head[2];
  size_t head_size, head_left; /* come, and still to be read */
};

static int begin(struct inflater *inflater, int bits) {
  if (inflateInit2(&inflater->z, bits) != Z_OK)
    return codec_fail(&inflater->codec, UV_ENOMEM, NULL);
  inflater->begun = true;
  return 0;
}

/* Of deflate: 8 is its method, and both bytes together a multiple of 31. */
static bool has_head(const uint8_t head[2]) {
  return (head[0] & 15) == 8 && head[0] >> 4 <= 7 &&
         (head[0] << 8 | head[1]) % 31 == 0;
}

/* 0 also where more of it is to come. */
static int read_head(struct inflater *inflater, struct codec_io *io) {
  while (inflater->head_size < 2 && io->in_left > 0) {
    inflater->head[inflater->head_size++] = *io->in++;
    io->in_left--;
  }
  if (inflater->head_size < 2) return 0;
  inflater->head_left = 2;
  return begin(inflater, has_head(inflater->head) ? WINDOW_BITS : -WINDOW_BITS);
}

static int fail(struct inflater *inflater, int result) {
  struct codec *codec = &inflater->codec;
  const char *why = inflater->z.msg;
  if (result == Z_MEM_ERROR) return codec_fail(codec, UV_ENOMEM, NULL);
  if (result == Z_NEED_DICT) why = "it needs a dictionary";
  if (inflater->later && inflater->z.total_out == 0)
    why = "something follows its end";
  return codec_fail(codec, UV_EINVAL, why != NULL ? why : "malformed");
}

/* A piece of it. */
static int inflate_some(struct inflater *inflater, const uint8_t **in,
                        size_t *in_left, struct codec_io *io) {
  z_stream *z = &inflater->z;
  z->next_in = (z_const Bytef *)*in;
  z->avail_in = (uInt)*in_left;
  z->next_out = io->out;
  z->avail_out = (uInt)io->out_left;
  int result = inflate(z, Z_NO_FLUSH);
  *in = z->next_in;
  *in_left = z->avail_in;
  io->out = z->next_out;
  io->out_left = z->avail_out;
  inflater->ended = result == Z_STREAM_END;
  bool fine = result == Z_OK || result == Z_BUF_ERROR || inflater->ended;
  return fine ? 0 : fail(inflater, result);
}

/* Another one? zlib looks at two bytes at once: there may be one only. */
static int go_on(struct inflater *inflater, const struct codec_io *io) {
  if (!inflater->gzip || *io->in != GZIP_FIRST ||
      inflateReset(&inflater->z) != Z_OK)
    return codec_fail(&inflater->codec, UV_EINVAL, "something follows its end");
  inflater->ended = false;
  inflater->later = true;
  return 0;
}

/* What is left of the head comes before the rest. */
static int take(struct inflater *inflater, struct codec_io *io) {
  if (inflater->head_left == 0)
    return inflate_some(inflater, &io->in, &io->in_left, io);
  const uint8_t *head = inflater->head + 2 - inflater->head_left;
  return inflate_some(inflater, &head, &inflater->head_left, io);
}

static int run(struct codec *codec, struct codec_io *io, enum codec_step step) {
  struct inflater *inflater = (struct inflater *)codec;
  int status = 0;
  if (!inflater->begun) status = read_head(inflater, io);
  bool again = inflater->begun;
  while (status == 0 && again) {
    bool more = io->in_left > 0 || inflater->head_left > 0;
    if (inflater->ended && !more) break;
    if (inflater->ended) status = go_on(inflater, io);
    if (status == 0) status = take(inflater, io);
    again = io->in_left > 0 || inflater->head_left > 0;
    if (status == 0 && io->out_left == 0 && !inflater->ended) return CODEC_ROOM;
    if (status == 0 && io->out_left == 0 && again) return CODEC_ROOM;
  }
  if (status < 0) return status;
  if (step == CODEC_FINISH && !inflater->ended)
    return codec_fail(codec, UV_EOF, "it is cut short");
  return CODEC_DONE;
}

static void let_go(struct codec *codec) {
  struct inflater *inflater = (struct inflater *)codec;
  if (inflater->begun) inflateEnd(&inflater->z);
  free(inflater);
}

static const struct codec_kind kind = {.run = run, .free = let_go};

struct codec *inflater_new(enum coding coding) {
  struct inflater *inflater = calloc(1, sizeof *inflater);
  if (inflater == NULL) return NULL;
  inflater->codec.kind = &kind;
  inflater->codec.at_most = AT_MOST;
  inflater->gzip = coding == CODING_GZIP;
  if (!inflater->gzip || begin(inflater, WINDOW_BITS + GZIP) == 0)
    return &inflater->codec;
  let_go(&inflater->codec);
  return NULL;
}
