/* opening.c - runs in a thread: no Lua, no loop. What is opened was looked at
 * first, and what is sent is told by its very descriptor. */
#include "modules/http/files/opening.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "modules/http/files/beneath.h"

static const char *const suffixes[ENCODINGS] = {"", ".br", ".gz"};

enum { CHANGES = 8 }; /* while it is read */

static int system_status(void) {
  return uv_translate_sys_error(errno);
}

/* ---- its contents -------------------------------------------------------- */

int opening_read(int fd, char *text, size_t size, off_t at) {
  for (size_t done = 0; done < size;) {
    ssize_t got = pread(fd, text + done, size - done, at + (off_t)done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_status();
    if (got == 0) return UV_EOF;
    done += (size_t)got;
  }
  return 0;
}

static bool is_same(const struct stat *a, const struct stat *b) {
  return a->st_size == b->st_size && a->st_mtime == b->st_mtime;
}

/* What changes meanwhile is read again, so that it is of one size. */
static int read_all(struct opening *opening) {
  struct stat before;
  opening->text = malloc(INLINE_MOST);
  if (opening->text == NULL) return UV_ENOMEM;
  for (int i = 0; i < CHANGES; i++) {
    before = opening->about;
    if (before.st_size > INLINE_MOST) break;
    int status =
      opening_read(opening->fd, opening->text, (size_t)before.st_size, 0);
    if (status < 0 && status != UV_EOF) return status;
    if (fstat(opening->fd, &opening->about) < 0) return system_status();
    if (status == 0 && is_same(&before, &opening->about)) return 0;
  }
  free(opening->text);
  opening->text = NULL; /* it is sent in pieces */
  return 0;
}

static int finish(struct opening *opening) {
  if (!opening->reads || opening->about.st_size > INLINE_MOST) return 0;
  int status = read_all(opening);
  if (status < 0 || opening->text == NULL) return status;
  close(opening->fd);
  opening->fd = -1;
  return 0;
}

/* ---- siblings that are compressed ---------------------------------------- */

static bool put_sibling(char *to, const char *name, enum encoding encoding) {
  int size = snprintf(to, PATH_MAX, "%s%s", name, suffixes[encoding]);
  return size < PATH_MAX;
}

static bool has_sibling(int root, const char *name, enum encoding encoding) {
  char path[PATH_MAX];
  struct stat about;
  return put_sibling(path, name, encoding) &&
         fstatat(root, path, &about, 0) == 0 && S_ISREG(about.st_mode);
}

/* Where it cannot be opened the file itself is sent. */
static void take_sibling(struct opening *opening, int root, const char *name) {
  int there = 0;
  char path[PATH_MAX];
  struct stat about;
  if (has_sibling(root, name, AS_BR)) there |= 1;
  if (has_sibling(root, name, AS_GZIP)) there |= 2;
  opening->varies = there != 0;
  enum encoding best = opening->best[there];
  if (best == AS_IT_IS || !put_sibling(path, name, best)) return;
  int fd = beneath_open_to_read(root, path, &about);
  if (fd < 0) return;
  if (!S_ISREG(about.st_mode)) {
    close(fd);
    return;
  }
  close(opening->fd);
  opening->fd = fd;
  opening->about = about;
  opening->encoding = best;
}

/* ---- one below a root ---------------------------------------------------- */

static int open_name(struct opening *opening, int root, const char *name) {
  int fd = beneath_open_to_read(root, name, &opening->about);
  if (fd < 0) return fd;
  opening->fd = fd;
  opening->is_directory = S_ISDIR(opening->about.st_mode);
  return 0;
}

/* A directory without one stays a directory. */
static int take_index(struct opening *opening, int root, char *path) {
  int size = snprintf(path, PATH_MAX, "%s%s%s", opening->name,
                      *opening->name == '\0' ? "" : "/", opening->index);
  if (size >= PATH_MAX) return UV_ENAMETOOLONG;
  struct stat about;
  int fd = beneath_open_to_read(root, path, &about);
  if (fd == UV_EACCES) return fd;
  if (fd < 0) return 0;
  if (!S_ISREG(about.st_mode)) {
    close(fd);
    return 0;
  }
  close(opening->fd);
  opening->fd = fd;
  opening->about = about;
  opening->is_directory = false;
  opening->is_index = true;
  return 0;
}

static int find(struct opening *opening, int root) {
  char path[PATH_MAX];
  const char *name = opening->name;
  int status = open_name(opening, root, name);
  if (status < 0) return status;
  if (opening->slash && !opening->is_directory) return UV_ENOTDIR;
  if (opening->slash && opening->index != NULL) {
    status = take_index(opening, root, path);
    if (opening->is_index) name = path;
  }
  if (status < 0 || opening->is_directory) return status;
  if (opening->siblings) take_sibling(opening, root, name);
  return finish(opening);
}

/* ---- one that a script has named ----------------------------------------- */

/* Links lead where they lead: whoever wrote the script has chosen it. */
static int open_itself(struct opening *opening) {
  struct stat *about = &opening->about;
  if (stat(opening->root, about) < 0) return system_status();
  if (!S_ISREG(about->st_mode)) return UV_ENXIO;
  opening->fd =
    open(opening->root, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (opening->fd < 0 || fstat(opening->fd, about) < 0) return system_status();
  return S_ISREG(about->st_mode) ? finish(opening) : UV_ENXIO;
}

int opening_run(struct opening *opening) {
  if (opening->name == NULL) return open_itself(opening);
  int root = open(opening->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (root < 0) return system_status();
  int status = find(opening, root);
  close(root);
  return status;
}

void opening_free(struct opening *opening) {
  if (opening->fd >= 0) close(opening->fd);
  opening->fd = -1;
  free(opening->text);
  opening->text = NULL;
}
