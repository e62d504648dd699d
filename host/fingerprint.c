/* fingerprint.c - FNV-1a with 64 bits: one multiplication a byte, which for
 * source files is far less than to read them. No Lua, no host: it may be called
 * in any thread. */
#include "host/fingerprint.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static const uint64_t fnv_basis = 0xcbf29ce484222325;
static const uint64_t fnv_prime = 0x100000001b3;

enum { PIECE = 16384 };

void fingerprint_add(struct fingerprint *fingerprint, const void *bytes,
                     size_t size) {
  const unsigned char *byte = bytes;
  uint64_t hash = fingerprint->hash;
  for (size_t i = 0; i < size; i++) hash = (hash ^ byte[i]) * fnv_prime;
  fingerprint->hash = hash;
  fingerprint->size += size;
}

struct fingerprint fingerprint_bytes(const void *bytes, size_t size) {
  struct fingerprint fingerprint = {0, fnv_basis};
  fingerprint_add(&fingerprint, bytes, size);
  return fingerprint;
}

static ssize_t read_piece(int fd, char *piece) {
  ssize_t size;
  do size = read(fd, piece, PIECE);
  while (size < 0 && errno == EINTR);
  return size;
}

static bool is_regular(int fd) {
  struct stat status;
  return fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

/* O_NONBLOCK: opening a FIFO would wait for who writes into it. */
bool fingerprint_file(const char *path, struct fingerprint *fingerprint) {
  char piece[PIECE];
  int fd;
  do fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  while (fd < 0 && errno == EINTR);
  if (fd < 0) return false;
  ssize_t size = is_regular(fd) ? 0 : -1;
  *fingerprint = fingerprint_bytes(NULL, 0);
  while (size >= 0 && (size = read_piece(fd, piece)) > 0)
    fingerprint_add(fingerprint, piece, (size_t)size);
  close(fd);
  return size == 0;
}

void fingerprint_format(const struct fingerprint *fingerprint,
                        char text[FINGERPRINT_TEXT]) {
  snprintf(text, FINGERPRINT_TEXT, "%" PRIu64 ":%016" PRIx64, fingerprint->size,
           fingerprint->hash);
}
