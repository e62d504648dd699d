/* opening.c - no Lua, and where it is not `at_once` no loop. What is opened was
 * looked at first, and what is sent is told by its very descriptor. */
#include "modules/http/files/opening.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <uv.h>

#include "modules/http/files/beneath.h"
#include "modules/http/files/cached.h"

static const char *const suffixes[ENCODINGS] = {"", ".br", ".gz"};

enum { CHANGES = 8 }; /* while it is read */

static int system_status(void) {
  return uv_translate_sys_error(errno);
}

/* ---- its contents -------------------------------------------------------- */

static char *spare; /* the last one, that is warm: of the loop alone */

char *text_take(bool on_loop) {
  char *text = on_loop ? spare : NULL;
  if (text == NULL) return malloc(INLINE_MOST);
  spare = NULL;
  return text;
}

void text_give_back(char *text) {
  if (spare == NULL)
    spare = text;
  else
    free(text);
}

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

static int read_text(const struct opening *opening, size_t size) {
  if (opening->at_once) return cached_read(opening->fd, opening->text, size);
  return opening_read(opening->fd, opening->text, size, 0);
}

/* At once it is the first look at the descriptor: where that is no file any more
 * a thread is to find out what it is. */
static int look_again(struct opening *opening) {
  struct stat *about = &opening->about;
  if (!opening->at_once)
    return fstat(opening->fd, about) < 0 ? system_status() : 0;
  int status = cached_stat(opening->fd, about);
  return status == 0 && !S_ISREG(about->st_mode) ? UV_EAGAIN : status;
}

static bool is_same(const struct stat *a, const struct stat *b) {
  return a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
         a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* What changes meanwhile is read again, so that it is of one size. */
static int read_all(struct opening *opening) {
  opening->text = text_take(opening->at_once);
  if (opening->text == NULL) return UV_ENOMEM;
  for (int i = 0; i < CHANGES; i++) {
    struct stat before = opening->about;
    if (before.st_size > INLINE_MOST) break;
    int status = read_text(opening, (size_t)before.st_size);
    if (status < 0 && status != UV_EOF) return status;
    int looked = look_again(opening);
    if (looked < 0) return looked;
    if (status == 0 && is_same(&before, &opening->about)) return 0;
  }
  free(opening->text);
  opening->text = NULL; /* it is sent from its descriptor */
  return 0;
}

static int finish(struct opening *opening) {
  if (!opening->at_once) cached_learn(opening->fd, opening->about.st_dev);
  if (!opening->reads || opening->about.st_size > INLINE_MOST)
    return opening->at_once ? look_again(opening) : 0;
  int status = read_all(opening);
  if (status < 0 || opening->text == NULL) return status;
  close(opening->fd);
  opening->fd = -1;
  return 0;
}

/* ---- one of the two ways ------------------------------------------------- */

static int open_root(const struct opening *opening) {
  if (opening->at_once) return cached_open_root(opening->root);
  int fd = open(opening->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  return fd < 0 ? system_status() : fd;
}

static int open_beneath(const struct opening *opening, int root,
                        const char *name, struct stat *about) {
  if (opening->at_once) return cached_open_to_read(root, name, about);
  return beneath_open_to_read(root, name, about);
}

static int look(const struct opening *opening, int root, const char *name,
                struct stat *about) {
  if (opening->at_once) return cached_look(root, name, about);
  return fstatat(root, name, about, 0) < 0 ? system_status() : 0;
}

/* What was opened takes the place of what is open, if it is a file. */
static bool put_in_place(struct opening *opening, int fd,
                         const struct stat *about) {
  if (!S_ISREG(about->st_mode)) {
    close(fd);
    return false;
  }
  close(opening->fd);
  opening->fd = fd;
  opening->about = *about;
  return true;
}

/* ---- siblings that are compressed ---------------------------------------- */

static bool put_sibling(char *to, const char *name, enum encoding encoding) {
  int size = snprintf(to, PATH_MAX, "%s%s", name, suffixes[encoding]);
  return size < PATH_MAX;
}

/* 1: it is there; 0; UV_EAGAIN. */
static int find_sibling(const struct opening *opening, int root,
                        const char *name, enum encoding encoding) {
  char path[PATH_MAX];
  struct stat about;
  if (!put_sibling(path, name, encoding)) return 0;
  int status = look(opening, root, path, &about);
  if (status == UV_EAGAIN) return status;
  return status == 0 && S_ISREG(about.st_mode);
}

/* Where it cannot be opened the file itself is sent. */
static int open_sibling(struct opening *opening, int root, const char *name,
                        enum encoding encoding) {
  char path[PATH_MAX];
  struct stat about;
  if (!put_sibling(path, name, encoding)) return 0;
  int fd = open_beneath(opening, root, path, &about);
  if (fd < 0) return fd == UV_EAGAIN ? fd : 0;
  if (put_in_place(opening, fd, &about)) opening->encoding = encoding;
  return 0;
}

static int take_sibling(struct opening *opening, int root, const char *name) {
  int br = find_sibling(opening, root, name, AS_BR);
  if (br < 0) return br;
  int gzip = find_sibling(opening, root, name, AS_GZIP);
  if (gzip < 0) return gzip;
  opening->varies = br + gzip > 0;
  enum encoding best = opening->best[br + 2 * gzip];
  if (best == AS_IT_IS) return 0;
  return open_sibling(opening, root, name, best);
}

/* ---- one below a root ---------------------------------------------------- */

static int open_name(struct opening *opening, int root, const char *name) {
  int fd = open_beneath(opening, root, name, &opening->about);
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
  int fd = open_beneath(opening, root, path, &about);
  if (fd == UV_EACCES || fd == UV_EAGAIN) return fd;
  if (fd < 0) return 0;
  opening->is_index = put_in_place(opening, fd, &about);
  opening->is_directory = !opening->is_index;
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
  if (opening->siblings) status = take_sibling(opening, root, name);
  return status < 0 ? status : finish(opening);
}

/* ---- one that a script has named ----------------------------------------- */

static int open_slowly(struct opening *opening) {
  struct stat *about = &opening->about;
  if (stat(opening->root, about) < 0) return system_status();
  if (!S_ISREG(about->st_mode)) return UV_ENXIO;
  opening->fd =
    open(opening->root, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (opening->fd < 0 || fstat(opening->fd, about) < 0) return system_status();
  return 0;
}

/* Links lead where they lead: whoever wrote the script has chosen it. */
static int open_itself(struct opening *opening) {
  int status = 0;
  if (opening->at_once)
    status = opening->fd =
      cached_open_to_read(AT_FDCWD, opening->root, &opening->about);
  else
    status = open_slowly(opening);
  if (status < 0) return status;
  return S_ISREG(opening->about.st_mode) ? finish(opening) : UV_ENXIO;
}

int opening_run(struct opening *opening) {
  int status;
  if (opening->name == NULL) {
    status = open_itself(opening);
  } else {
    int root = open_root(opening);
    status = root < 0 ? root : find(opening, root);
    if (root >= 0) close(root);
  }
  return status;
}

void opening_free(struct opening *opening) {
  if (opening->fd >= 0) close(opening->fd);
  opening->fd = -1;
  text_give_back(opening->text);
  opening->text = NULL;
}
