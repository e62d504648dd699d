/* feed.c - feeds a codec in slices: whoever feeds it can stop between two. */
#include "host/codec/feed.h"

#include <stdlib.h>
#include <string.h>
#include <uv.h>

enum { SLICE = 1 << 16, ROOM_LEAST = 1024 };

/* A byte more than the limit shows that it is too much. */
static bool make_room(struct feed *feed) {
  struct codec_output *output = &feed->output;
  if (output->size < output->room) return true;
  size_t room = output->room < ROOM_LEAST ? ROOM_LEAST : output->room * 2;
  if (output->room == 0 && feed->left > room) room = feed->left / 4 + room;
  if (room > feed->limit && feed->limit < SIZE_MAX) room = feed->limit + 1;
  return codec_make_room(output, room);
}

/* One slice: CODEC_DONE where the whole step is done. */
static int run_slice(struct feed *feed, size_t *used) {
  struct codec *codec = feed->codec;
  struct codec_output *output = &feed->output;
  size_t size = feed->left < SLICE ? feed->left : SLICE;
  size_t room = output->room - output->size;
  if (room > SLICE) room = SLICE;
  bool last = size == feed->left;
  struct codec_io io = {feed->in, size, output->data + output->size, room};
  int result = codec->kind->run(codec, &io, last ? feed->step : CODEC_WRITE);
  *used = size - io.in_left + room - io.out_left;
  output->size += room - io.out_left;
  feed->in = io.in;
  feed->left -= size - io.in_left;
  if (output->size > feed->limit) return UV_EMSGSIZE;
  return result == CODEC_DONE && !last ? CODEC_ROOM : result;
}

int feed_some(struct feed *feed, size_t budget) {
  struct codec *codec = feed->codec;
  if (codec->kind->whole != NULL)
    return codec->kind->whole(codec, feed->in, feed->left, &feed->output);
  for (;;) {
    size_t used;
    if (!make_room(feed)) return codec_fail(codec, UV_ENOMEM, NULL);
    int result = run_slice(feed, &used);
    if (result != CODEC_ROOM) return result == CODEC_DONE ? FEED_DONE : result;
    if (used >= budget) return FEED_MORE;
    budget -= used;
  }
}

void feed_free(struct feed *feed) {
  free(feed->output.data);
  feed->output.data = NULL;
}
