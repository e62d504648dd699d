/* codec.h - what turns bytes into other bytes, in steps: gzip, deflate and br,
 * there and back. It is C memory without Lua or libuv: a thread may use it, one
 * at a time.
 *
 * What fails leaves its reason, a text that lasts, and is of no more use but to
 * be freed. */
#ifndef HOST_CODEC_CODEC_H
#define HOST_CODEC_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct codec;

enum coding { CODING_GZIP, CODING_DEFLATE, CODING_BR };

extern const char *const coding_names[]; /* by these numbers; NULL behind */

enum codec_step {
  CODEC_WRITE,  /* take this; what comes of it may be kept back */
  CODEC_FLUSH,  /* and give all of it */
  CODEC_FINISH, /* it was the last */
};

struct codec_io {
  const uint8_t *in;
  size_t in_left;
  uint8_t *out;
  size_t out_left;
};

struct codec_output { /* grows */
  uint8_t *data;
  size_t size, room;
};

enum { CODEC_DONE, CODEC_ROOM };

struct codec_kind {
  /* CODEC_DONE: all is taken, and all that this step asks for was given.
   * CODEC_ROOM: call again, with more room. Or one of libuv's statuses. */
  int (*run)(struct codec *codec, struct codec_io *io, enum codec_step step);
  /* All at once, where that is quicker; or NULL. The same results. */
  int (*whole)(struct codec *codec, const uint8_t *in, size_t size,
               struct codec_output *output);
  void (*free)(struct codec *codec);
};

struct codec {
  const struct codec_kind *kind;
  const char *why; /* it has failed */
  size_t block;    /* an encoder that works only when it has so many; or 0 */
  size_t held;     /* of the next one */
  size_t at_most;  /* bytes of input that take no time worth speaking of */
};

enum { LEVEL_DEFAULT = -1, LEVEL_MOST = 9, LEVEL_MOST_BR = 11 };

/* `size`: of all that comes, where that is known, or 0: then it is to need
 * little memory. NULL without memory. */
struct codec *codec_new_encoder(enum coding coding, int level, size_t size);
struct codec *codec_new_decoder(enum coding coding);
void codec_free(struct codec *codec);

/* How many bytes this step works at: not each one does. */
size_t codec_cost(const struct codec *codec, size_t size, enum codec_step step);
int codec_fail(struct codec *codec, int status, const char *why);
bool codec_make_room(struct codec_output *output, size_t room);

/* One file each. */
struct codec *deflater_new(enum coding coding, int level);
struct codec *inflater_new(enum coding coding);
struct codec *at_once_new(enum coding coding, int level); /* NULL: none here */
struct codec *brotli_encoder_new(int level, size_t size);
struct codec *brotli_decoder_new(void);

#endif
