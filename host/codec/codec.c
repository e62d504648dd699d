/* codec.c - which codec it is, and what all of them have. */
#include "host/codec/codec.h"

#include <stdlib.h>

const char *const coding_names[] = {"gzip", "deflate", "br", NULL};

/* At once, nothing can be told to stop: so not what would take a thread for
 * long. */
static bool is_short(int level, size_t size) {
  return size > 0 && size <= (size_t)(level <= 6 ? 16 << 20 : 1 << 20);
}

struct codec *codec_new_encoder(enum coding coding, int level, size_t size) {
  if (coding == CODING_BR) return brotli_encoder_new(level, size);
  struct codec *codec = NULL;
  if (is_short(level, size)) codec = at_once_new(coding, level);
  return codec != NULL ? codec : deflater_new(coding, level);
}

struct codec *codec_new_decoder(enum coding coding) {
  return coding == CODING_BR ? brotli_decoder_new() : inflater_new(coding);
}

void codec_free(struct codec *codec) {
  if (codec != NULL) codec->kind->free(codec);
}

size_t codec_cost(const struct codec *codec, size_t size,
                  enum codec_step step) {
  if (step == CODEC_WRITE && size < codec->block - codec->held) return 0;
  return codec->held + size;
}

int codec_fail(struct codec *codec, int status, const char *why) {
  codec->why = why;
  return status;
}

bool codec_make_room(struct codec_output *output, size_t room) {
  if (room <= output->room) return true;
  uint8_t *data = realloc(output->data, room);
  if (data == NULL) return false;
  output->data = data;
  output->room = room;
  return true;
}
