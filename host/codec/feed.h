/* feed.h - one call's worth for a codec: input, and the output that grows. */
#ifndef HOST_CODEC_FEED_H
#define HOST_CODEC_FEED_H

#include "host/codec/codec.h"

struct feed {
  struct codec *codec;
  const uint8_t *in;
  size_t left;
  enum codec_step step;
  size_t limit; /* of the output */
  struct codec_output output;
};

enum { FEED_DONE, FEED_MORE };

/* Until it is done or has gone through about so many bytes, in and out:
 * FEED_DONE, FEED_MORE, or one of libuv's statuses (UV_EMSGSIZE: the limit). */
int feed_some(struct feed *feed, size_t budget);
void feed_free(struct feed *feed); /* the output */

#endif
