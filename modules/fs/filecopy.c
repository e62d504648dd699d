/* filecopy.c - the bytes of one file, its permissions and its times. */
#include "modules/fs/filecopy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "modules/fs/info.h"

enum {
  PIECE = 4 << 20, /* for the system to copy: about a millisecond */
  PIECE_BY_HAND = 1 << 16,
  TRIES = 100
};

static int error_now(void) {
  return uv_translate_sys_error(errno);
}

int unique_name(char *name) {
  static const char letters[] = "abcdefghijklmnopqrstuvwxyz012345";
  unsigned char random[UNIQUE_SIZE];
  int status = uv_random(NULL, NULL, random, sizeof random, 0, NULL);
  if (status < 0) return status;
  for (int i = 0; i < UNIQUE_SIZE; i++) name[i] = letters[random[i] % 32];
  name[UNIQUE_SIZE] = '\0';
  return 0;
}

/* ---- begin --------------------------------------------------------------- */

/* A hidden name in the directory of the target. */
static int open_beside(struct filecopy *copy) {
  const char *slash = strrchr(copy->name, '/');
  int prefix = slash == NULL ? 0 : (int)(slash + 1 - copy->name);
  size_t size = (size_t)prefix + sizeof ".neap-" + UNIQUE_SIZE;
  copy->beside = malloc(size);
  if (copy->beside == NULL) return UV_ENOMEM;
  for (int i = 0; i < TRIES; i++) {
    char unique[UNIQUE_SIZE + 1];
    int status = unique_name(unique);
    if (status < 0) return status;
    snprintf(copy->beside, size, "%.*s.neap-%s", prefix, copy->name, unique);
    copy->to =
      openat(copy->directory, copy->beside,
             O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (copy->to >= 0) return 0;
    if (errno != EEXIST) return error_now();
  }
  return UV_EEXIST;
}

int filecopy_begin(struct filecopy *copy, int from, int directory,
                   const char *name, bool overwrite) {
  *copy = (struct filecopy){.from = from,
                            .to = -1,
                            .directory = directory,
                            .name = name,
                            .overwrite = overwrite};
  int status = fstat(from, &copy->info) < 0 ? error_now() : 0;
  if (status == 0) status = open_beside(copy);
  if (status < 0) {
    close(from);
    free(copy->beside);
    copy->beside = NULL;
    return status;
  }
  copy->by_hand = copy->info.st_size == 0; /* as in /proc: all there is */
  copy->sparse = copy->info.st_blocks < copy->info.st_size / 512;
  return 0;
}

void filecopy_drop(struct filecopy *copy) {
  if (copy->beside == NULL) return;
  close(copy->from);
  close(copy->to);
  unlinkat(copy->directory, copy->beside, 0);
  free(copy->beside);
  copy->beside = NULL;
}

/* ---- bytes --------------------------------------------------------------- */

static ssize_t write_all(int fd, const char *bytes, size_t size, off_t at) {
  size_t done = 0;
  while (done < size) {
    ssize_t n = pwrite(fd, bytes + done, size - done, at + (off_t)done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return -1;
    done += (size_t)n;
  }
  return (ssize_t)size;
}

static ssize_t copy_by_hand(const struct filecopy *copy, size_t size) {
  char bytes[PIECE_BY_HAND];
  ssize_t n;
  if (size > sizeof bytes) size = sizeof bytes;
  do n = pread(copy->from, bytes, size, copy->at);
  while (n < 0 && errno == EINTR);
  return n <= 0 ? n : write_all(copy->to, bytes, (size_t)n, copy->at);
}

/* What it cannot do, and why, shows when it is done by hand. */
static ssize_t copy_some(struct filecopy *copy, size_t size) {
#ifdef __linux__
  if (!copy->by_hand) {
    off_t from = copy->at, to = copy->at;
    ssize_t n = copy_file_range(copy->from, &from, copy->to, &to, size, 0);
    if (n > 0) return n;
    copy->by_hand = true;
  }
#endif
  return copy_by_hand(copy, size);
}

/* Skips a hole; returns where the bytes that follow end. */
static off_t find_data(struct filecopy *copy) {
  off_t size = copy->info.st_size;
#ifdef SEEK_HOLE
  if (!copy->sparse) return size;
  off_t data = lseek(copy->from, copy->at, SEEK_DATA);
  if (data < 0) {
    copy->sparse = errno == ENXIO; /* nothing but a hole */
    if (copy->sparse) copy->at = size;
    return size;
  }
  copy->at = data;
  off_t hole = lseek(copy->from, data, SEEK_HOLE);
  return hole < 0 || hole > size ? size : hole;
#else
  return size;
#endif
}

/* ---- the end ------------------------------------------------------------- */

/* Not where something is already. Not all file systems have either way. */
static int name_anew(const struct filecopy *copy) {
  int fd = copy->directory;
#ifdef RENAME_NOREPLACE
  if (renameat2(fd, copy->beside, fd, copy->name, RENAME_NOREPLACE) == 0)
    return 0;
  if (errno != EINVAL && errno != ENOSYS) return error_now();
#endif
  if (linkat(fd, copy->beside, fd, copy->name, 0) < 0) return error_now();
  unlinkat(fd, copy->beside, 0);
  return 0;
}

static int name_over(const struct filecopy *copy) {
  int fd = copy->directory;
  return renameat(fd, copy->beside, fd, copy->name) < 0 ? error_now() : 0;
}

/* Who may write it, and when it was: as with the source. */
static int finish(struct filecopy *copy) {
  const struct stat *info = &copy->info;
  const struct timespec times[2] = {info->st_atim, info->st_mtim};
  if (ftruncate(copy->to, copy->at) < 0) return error_now(); /* a last hole */
  if (fchmod(copy->to, info->st_mode & 0777) < 0) return error_now();
  if (futimens(copy->to, times) < 0) return error_now();
  int status = copy->overwrite ? name_over(copy) : name_anew(copy);
  if (status < 0) return status;
  close(copy->from);
  close(copy->to);
  free(copy->beside);
  copy->beside = NULL;
  return 0;
}

bool filecopy_step(struct filecopy *copy, int *status) {
  off_t end = find_data(copy);
  bool at_end = copy->at >= end && !(copy->by_hand && end == 0);
  size_t size = PIECE;
  if (end > 0 && end - copy->at < PIECE) size = (size_t)(end - copy->at);
  ssize_t n = at_end ? 0 : copy_some(copy, size);
  if (n > 0) copy->at += n;
  if (n > 0) return true;
  *status = n < 0 ? error_now() : finish(copy);
  if (*status < 0) filecopy_drop(copy);
  return false;
}
