/* unpacking.c - what was sent goes through a codec, and comes out in pieces of a
 * bounded size: so on the loop, where no piece takes long. */
#include "modules/http/unpacking.h"

#include <stdlib.h>
#include <uv.h>

enum { PIECE = 65536 };

struct unpacking *unpacking_new(enum coding coding) {
  struct unpacking *unpacking = calloc(1, sizeof *unpacking);
  if (unpacking == NULL) return NULL;
  unpacking->coding = coding;
  unpacking->feed.codec = codec_new_decoder(coding);
  if (unpacking->feed.codec != NULL &&
      codec_make_room(&unpacking->feed.output, PIECE))
    return unpacking;
  unpacking_free(unpacking);
  return NULL;
}

void unpacking_free(struct unpacking *unpacking) {
  if (unpacking == NULL) return;
  codec_free(unpacking->feed.codec);
  feed_free(&unpacking->feed);
  free(unpacking);
}

/* Nothing more will come, but its request may last for hours. */
static void end(struct unpacking *unpacking) {
  codec_free(unpacking->feed.codec);
  unpacking->feed.codec = NULL;
  if (unpacking->feed.output.size == 0) feed_free(&unpacking->feed);
}

void unpacking_clear(struct unpacking *unpacking) {
  unpacking->feed.output.size = 0;
  if (unpacking->ended) end(unpacking);
}

const char *unpacking_why(const struct unpacking *unpacking) {
  const struct codec *codec = unpacking->feed.codec;
  return codec != NULL ? codec->why : NULL;
}

/* (With room for a piece, and so much of a budget, it is one at most.) */
size_t unpacking_take(struct unpacking *unpacking, const char *bytes,
                      size_t size, bool last, uint64_t limit, int *status) {
  struct feed *feed = &unpacking->feed;
  uint64_t left = limit > unpacking->given ? limit - unpacking->given : 0;
  feed->limit = left < SIZE_MAX ? (size_t)left : SIZE_MAX;
  feed->in = (const uint8_t *)bytes;
  feed->left = size;
  feed->step = last ? CODEC_FINISH : CODEC_WRITE;
  int result = feed_some(feed, PIECE);
  unpacking->given += feed->output.size;
  unpacking->holds = result == FEED_MORE;
  unpacking->ended = last && result == FEED_DONE;
  *status = result < 0 ? result : 0;
  if (unpacking->ended) end(unpacking);
  return size - feed->left;
}
