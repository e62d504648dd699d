/* brotli.c - br (RFC 7932), written and read by the brotli library. */
#include <brotli/decode.h>
#include <brotli/encode.h>
#include <stdlib.h>
#include <uv.h>

#include "host/codec/codec.h"

enum {
  DEFAULT = 4,
  STREAM_BITS = 18, /* of the window, where memory counts: a megabyte in all */
  MOST_BITS = 22,
  AT_MOST = 16384,
  SLOW = 5, /* from this level on: */
  AT_MOST_SLOW = 4096,
  SLOWEST = 9, /* always in a thread */
};

/* ---- there --------------------------------------------------------------- */

struct encoder {
  struct codec codec; /* first member */
  BrotliEncoderState *state;
};

static const BrotliEncoderOperation operations[] = {
  BROTLI_OPERATION_PROCESS, BROTLI_OPERATION_FLUSH, BROTLI_OPERATION_FINISH};

static int encode(struct codec *codec, struct codec_io *io,
                  enum codec_step step) {
  BrotliEncoderState *state = ((struct encoder *)codec)->state;
  size_t size = io->in_left;
  if (!BrotliEncoderCompressStream(state, operations[step], &io->in_left,
                                   &io->in, &io->out_left, &io->out, NULL))
    return codec_fail(codec, UV_ENOMEM, NULL);
  if (codec->block > 0)
    codec->held = (codec->held + size - io->in_left) % codec->block;
  if (io->in_left > 0 || BrotliEncoderHasMoreOutput(state)) return CODEC_ROOM;
  if (step != CODEC_WRITE) codec->held = 0;
  bool done = step != CODEC_FINISH || BrotliEncoderIsFinished(state);
  return done ? CODEC_DONE : CODEC_ROOM;
}

static void free_encoder(struct codec *codec) {
  struct encoder *encoder = (struct encoder *)codec;
  BrotliEncoderDestroyInstance(encoder->state);
  free(encoder);
}

static const struct codec_kind encoder_kind = {.run = encode,
                                               .free = free_encoder};

static uint32_t window_bits(size_t size) {
  uint32_t bits = BROTLI_MIN_WINDOW_BITS;
  if (size == 0) return STREAM_BITS;
  while (bits < MOST_BITS && size > (size_t)1 << bits) bits++;
  return bits;
}

static void set_costs(struct codec *codec, int level) {
  codec->at_most = level < SLOW ? AT_MOST : AT_MOST_SLOW;
  if (level >= SLOWEST) codec->at_most = 0;
  /* How much it gathers before it begins. */
  if (level >= 2) codec->block = level < 4 ? 1 << 14 : 1 << 16;
  if (level >= SLOWEST) codec->block = 0;
}

struct codec *brotli_encoder_new(int level, size_t size) {
  if (level == LEVEL_DEFAULT) level = DEFAULT;
  struct encoder *encoder = calloc(1, sizeof *encoder);
  if (encoder == NULL) return NULL;
  encoder->state = BrotliEncoderCreateInstance(NULL, NULL, NULL);
  if (encoder->state == NULL) {
    free(encoder);
    return NULL;
  }
  encoder->codec.kind = &encoder_kind;
  set_costs(&encoder->codec, level);
  BrotliEncoderState *state = encoder->state;
  uint32_t hint = size < UINT32_MAX / 4 ? (uint32_t)size : UINT32_MAX / 4;
  BrotliEncoderSetParameter(state, BROTLI_PARAM_QUALITY, (uint32_t)level);
  BrotliEncoderSetParameter(state, BROTLI_PARAM_LGWIN, window_bits(size));
  BrotliEncoderSetParameter(state, BROTLI_PARAM_SIZE_HINT, hint);
  return &encoder->codec;
}

/* ---- and back ------------------------------------------------------------ */

struct decoder {
  struct codec codec; /* first member */
  BrotliDecoderState *state;
  bool ended;
};

static int fail(struct decoder *decoder) {
  BrotliDecoderErrorCode code = BrotliDecoderGetErrorCode(decoder->state);
  bool is_memory = code <= BROTLI_DECODER_ERROR_ALLOC_CONTEXT_MODES &&
                   code > BROTLI_DECODER_ERROR_UNREACHABLE;
  return codec_fail(&decoder->codec, is_memory ? UV_ENOMEM : UV_EINVAL,
                    is_memory ? NULL : "malformed");
}

static int decode(struct codec *codec, struct codec_io *io,
                  enum codec_step step) {
  struct decoder *decoder = (struct decoder *)codec;
  if (!decoder->ended) {
    BrotliDecoderResult result = BrotliDecoderDecompressStream(
      decoder->state, &io->in_left, &io->in, &io->out_left, &io->out, NULL);
    if (result == BROTLI_DECODER_RESULT_ERROR) return fail(decoder);
    if (result == BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT) return CODEC_ROOM;
    if (BrotliDecoderHasMoreOutput(decoder->state)) return CODEC_ROOM;
    decoder->ended = result == BROTLI_DECODER_RESULT_SUCCESS;
  }
  if (io->in_left > 0)
    return codec_fail(codec, UV_EINVAL, "something follows its end");
  if (step == CODEC_FINISH && !decoder->ended)
    return codec_fail(codec, UV_EOF, "it is cut short");
  return CODEC_DONE;
}

static void free_decoder(struct codec *codec) {
  struct decoder *decoder = (struct decoder *)codec;
  BrotliDecoderDestroyInstance(decoder->state);
  free(decoder);
}

static const struct codec_kind decoder_kind = {.run = decode,
                                               .free = free_decoder};

struct codec *brotli_decoder_new(void) {
  struct decoder *decoder = calloc(1, sizeof *decoder);
  if (decoder == NULL) return NULL;
  decoder->state = BrotliDecoderCreateInstance(NULL, NULL, NULL);
  if (decoder->state == NULL) {
    free(decoder);
    return NULL;
  }
  decoder->codec.kind = &decoder_kind;
  decoder->codec.at_most = AT_MOST;
  return &decoder->codec;
}
