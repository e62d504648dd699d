/* saving.c - on Linux a file can be born without a name (O_TMPFILE) and be given
 * one when it is whole, which costs nothing. Elsewhere, and where the name is to
 * be on another file system, its bytes are copied: into such a file there, or
 * into one with a name that nobody knows. What takes the name is on the disk. */
#include "modules/http/forms/saving.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

enum { UNIQUE = 16, PIECE = 4 << 20, PIECE_BY_HAND = 1 << 16 };

static int error_now(void) {
  return uv_translate_sys_error(errno);
}

/* ---- files without a name ------------------------------------------------ */

static int open_tmpfile(const char *directory) {
#ifdef O_TMPFILE
  return open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0666);
#else
  (void)directory;
  errno = ENOTSUP;
  return -1;
#endif
}

/* It has a name for a moment. */
static int open_unlinked(const char *directory) {
  static const char name[] = "/.neap-XXXXXX";
  size_t size = strlen(directory);
  char *path = malloc(size + sizeof name);
  if (path == NULL) return UV_ENOMEM;
  memcpy(path, directory, size);
  memcpy(path + size, name, sizeof name);
  int fd = mkostemp(path, O_CLOEXEC);
  int status = fd < 0 ? error_now() : fd;
  if (fd >= 0) unlink(path);
  free(path);
  return status;
}

int saving_open_nameless(const char *directory, bool *links) {
  int fd = open_tmpfile(directory);
  *links = fd >= 0;
  return fd >= 0 ? fd : open_unlinked(directory);
}

/* Only Linux can, and only where /proc is there. */
static int name_it(int fd, const char *path) {
  char link[40];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  return linkat(AT_FDCWD, link, AT_FDCWD, path, AT_SYMLINK_FOLLOW) < 0
           ? error_now()
           : 0;
}

/* ---- names --------------------------------------------------------------- */

/* The directory of the path, or a new name in it. */
static char *beside(const char *path, const char *name) {
  const char *slash = strrchr(path, '/');
  size_t size = slash == NULL ? 0 : (size_t)(slash + 1 - path);
  char *result = malloc(size + strlen(name) + 2);
  if (result == NULL) return NULL;
  memcpy(result, path, size);
  strcpy(result + size, name);
  return result;
}

static char *new_name(const char *path) {
  static const char letters[] = "abcdefghijklmnopqrstuvwxyz012345";
  unsigned char random[UNIQUE];
  char name[sizeof ".neap-" + UNIQUE] = ".neap-";
  if (uv_random(NULL, NULL, random, sizeof random, 0, NULL) < 0) return NULL;
  for (int i = 0; i < UNIQUE; i++) name[6 + i] = letters[random[i] % 32];
  return beside(path, name);
}

/* What is there already may be replaced if it is a file, or a link. */
static int look_at_target(const struct saving *saving) {
  const char *slash = strrchr(saving->path, '/');
  struct stat about;
  if (saving->path[0] == '\0') return UV_ENOENT;
  if (slash != NULL && slash[1] == '\0') return UV_EISDIR;
  if (lstat(saving->path, &about) < 0) return errno == ENOENT ? 0 : error_now();
  if (!saving->overwrite) return UV_EEXIST;
  if (S_ISDIR(about.st_mode)) return UV_EISDIR;
  return S_ISREG(about.st_mode) || S_ISLNK(about.st_mode) ? 0 : UV_EINVAL;
}

static void forget_name(struct saving *saving) {
  free(saving->beside);
  saving->beside = NULL;
}

/* Where a file has one name only, as on FAT, an empty one keeps the place. */
static int take_place(struct saving *saving) {
  int fd = open(saving->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (fd < 0) return error_now();
  close(fd);
  if (rename(saving->beside, saving->path) == 0) return 0;
  int status = error_now();
  unlink(saving->path);
  return status;
}

static int take_new_name(struct saving *saving) {
  if (link(saving->beside, saving->path) == 0) return 0;
  bool has_links = errno != EPERM && errno != ENOTSUP && errno != ENOSYS;
  return has_links ? error_now() : take_place(saving);
}

static int replace(struct saving *saving) {
  return rename(saving->beside, saving->path) < 0 ? error_now() : 0;
}

/* What has the name beside it gets that of the target. */
static int take_name(struct saving *saving) {
  int status = saving->overwrite ? replace(saving) : take_new_name(saving);
  if (status < 0 || !saving->overwrite) unlink(saving->beside);
  forget_name(saving);
  return status;
}

static int sync_directory(const char *path) {
  char *directory = beside(path, ".");
  int fd = directory == NULL ? -1 : open(directory, O_RDONLY | O_CLOEXEC);
  free(directory);
  if (fd < 0) return 0;
  int status = fsync(fd) < 0 && errno == EIO ? UV_EIO : 0;
  close(fd);
  return status;
}

static int publish_nameless(struct saving *saving, int fd) {
  if (!saving->overwrite) return name_it(fd, saving->path);
  saving->beside = new_name(saving->path);
  if (saving->beside == NULL) return UV_ENOMEM;
  int status = name_it(fd, saving->beside);
  if (status == 0) return take_name(saving);
  forget_name(saving);
  return status;
}

/* ---- a copy -------------------------------------------------------------- */

static int open_named(struct saving *saving) {
  saving->beside = new_name(saving->path);
  if (saving->beside == NULL) return UV_ENOMEM;
  saving->to =
    open(saving->beside, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (saving->to >= 0) return 0;
  int status = error_now();
  forget_name(saving);
  return status;
}

static int write_all(int fd, const char *bytes, size_t size) {
  while (size > 0) {
    ssize_t n = write(fd, bytes, size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return error_now();
    bytes += n;
    size -= (size_t)n;
  }
  return 0;
}

static ssize_t copy_by_hand(struct saving *saving) {
  char bytes[PIECE_BY_HAND];
  ssize_t n;
  do n = pread(saving->from, bytes, sizeof bytes, saving->at);
  while (n < 0 && errno == EINTR);
  if (n <= 0) return n < 0 ? error_now() : 0;
  int status = write_all(saving->to, bytes, (size_t)n);
  return status < 0 ? status : n;
}

/* What the system cannot do, and why, shows when it is done by hand. */
static ssize_t copy_some(struct saving *saving) {
#ifdef __linux__
  if (!saving->by_hand) {
    off_t at = saving->at;
    ssize_t n = copy_file_range(saving->from, &at, saving->to, NULL, PIECE, 0);
    if (n > 0) return n;
    saving->by_hand = true;
  }
#endif
  return copy_by_hand(saving);
}

static int publish_copy(struct saving *saving) {
  if (fsync(saving->to) < 0) return error_now();
  return take_name(saving);
}

/* ---- the steps ----------------------------------------------------------- */

static void close_copy(struct saving *saving) {
  if (saving->to >= 0) close(saving->to);
  saving->to = -1;
}

void saving_drop(struct saving *saving) {
  if (!saving->begun) return;
  close_copy(saving);
  if (saving->beside != NULL) unlink(saving->beside);
  forget_name(saving);
}

/* True: it has to be copied. */
static bool begin(struct saving *saving) {
  saving->begun = true;
  saving->to = -1;
  saving->status = look_at_target(saving);
  if (saving->status < 0) return false;
  if (saving->links) {
    saving->status = fsync(saving->from) < 0 ? error_now() : 0;
    if (saving->status < 0) return false;
    saving->status = publish_nameless(saving, saving->from);
    saving->linked = saving->status == 0;
    if (saving->linked || saving->status == UV_EEXIST) return false;
  }
  saving->status = open_named(saving);
  return saving->status == 0;
}

/* False: that was all, or it has failed. */
static bool copy(struct saving *saving) {
  ssize_t n = copy_some(saving);
  if (n > 0) saving->at += n;
  if (n > 0) return true;
  saving->status = n < 0 ? (int)n : publish_copy(saving);
  return false;
}

bool saving_step(struct saving *saving) {
  bool more = saving->begun ? copy(saving) : begin(saving);
  if (more) return true;
  if (saving->status == 0) saving->status = sync_directory(saving->path);
  saving_drop(saving);
  return false;
}
