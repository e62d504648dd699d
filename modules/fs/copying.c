/* copying.c - a tree that is read, and beside it the way down in another one. */
#include "modules/fs/copying.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "modules/fs/info.h"

enum { LINK_MOST = 1 << 16 };

static const char same_text[] = "they are the same";
static const char inside_text[] = "a directory is not copied into itself";
static const char special_text[] =
  "only files, directories, links and fifos are copied";
static const char tree_text[] = "a directory is copied with 'recursive'";

static int status_of(int result) {
  return result < 0 ? uv_translate_sys_error(errno) : 0;
}

static int refuse(struct copying *copying, int status, const char *why) {
  copying->why = why;
  return status;
}

static bool is_same(const struct stat *a, const struct stat *b) {
  return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* ---- one entry ----------------------------------------------------------- */

/* What stands in the place of a copy may be replaced, if it is nothing that
 * only looks like a file. */
static int check_target(struct copying *copying, int fd, const char *name,
                        const struct stat *source) {
  struct stat info;
  if (fstatat(fd, name, &info, AT_SYMLINK_NOFOLLOW) < 0)
    return errno == ENOENT ? 0 : status_of(-1);
  if (is_same(&info, source)) return refuse(copying, UV_EINVAL, same_text);
  if (!copying->overwrite) return UV_EEXIST;
  if (S_ISDIR(info.st_mode)) return UV_EISDIR;
  if (S_ISREG(info.st_mode) || S_ISLNK(info.st_mode)) return 0;
  return refuse(copying, UV_EEXIST, "something else than a file is there");
}

/* Opening a fifo would wait, were it one by now. */
static int copy_file(struct copying *copying, int from_fd, const char *from,
                     int flags, int to_fd, const char *to) {
  struct stat info;
  int fd = openat(from_fd, from, O_RDONLY | O_NONBLOCK | O_CLOEXEC | flags);
  if (fd < 0) return status_of(-1);
  int status = status_of(fstat(fd, &info));
  if (status == 0 && !S_ISREG(info.st_mode))
    status = refuse(copying, UV_EINVAL, special_text);
  if (status == 0) status = check_target(copying, to_fd, to, &info);
  if (status == 0)
    return filecopy_begin(&copying->file, fd, to_fd, to, copying->overwrite);
  close(fd);
  return status;
}

/* Makes it with `make`, in the place of what is there. */
static int put(struct copying *copying, int fd, const char *name,
               int (*make)(int fd, const char *name, const void *how),
               const void *how) {
  struct stat source;
  const struct tree *tree = &copying->tree;
  if (make(fd, name, how) == 0) return 0;
  if (errno != EEXIST) return status_of(-1);
  int status =
    status_of(fstatat(tree_fd(tree), tree->name, &source, AT_SYMLINK_NOFOLLOW));
  if (status == 0) status = check_target(copying, fd, name, &source);
  if (status == 0) status = status_of(unlinkat(fd, name, 0));
  return status < 0 ? status : status_of(make(fd, name, how));
}

static int make_link(int fd, const char *name, const void *how) {
  return symlinkat(how, fd, name);
}

static int make_fifo(int fd, const char *name, const void *how) {
  const struct stat *info = how;
  return mkfifoat(fd, name, info->st_mode & 0777);
}

static int copy_link(struct copying *copying) {
  const struct tree *tree = &copying->tree;
  char *text = malloc(LINK_MOST);
  if (text == NULL) return UV_ENOMEM;
  ssize_t size = readlinkat(tree_fd(tree), tree->name, text, LINK_MOST - 1);
  int status = size < 0 ? status_of(-1) : 0;
  if (status == 0) {
    text[size] = '\0';
    status =
      put(copying, descent_fd(&copying->target), tree->name, make_link, text);
  }
  free(text);
  return status;
}

static int copy_fifo(struct copying *copying) {
  const struct tree *tree = &copying->tree;
  int fd = descent_fd(&copying->target);
  struct stat info;
  int status =
    status_of(fstatat(tree_fd(tree), tree->name, &info, AT_SYMLINK_NOFOLLOW));
  return status < 0 ? status : put(copying, fd, tree->name, make_fifo, &info);
}

static int copy_entry(struct copying *copying) {
  struct tree *tree = &copying->tree;
  int fd = descent_fd(&copying->target);
  switch (tree->kind) {
    case KIND_DIRECTORY: return tree_want(tree);
    case KIND_LINK: return copy_link(copying);
    case KIND_FIFO: return copy_fifo(copying);
    case KIND_FILE:
      return copy_file(copying, tree_fd(tree), tree->name, O_NOFOLLOW, fd,
                       tree->name);
    default: return refuse(copying, UV_EINVAL, special_text);
  }
}

/* ---- directories --------------------------------------------------------- */

/* It is ours alone until all is in it. */
static int enter(struct copying *copying) {
  const struct tree *tree = &copying->tree;
  struct stat info;
  int status = status_of(fstat(tree_fd(tree), &info));
  if (status < 0) return status;
  if (is_same(&info, &copying->copied))
    return refuse(copying, UV_EINVAL, inside_text);
  bool made = mkdirat(descent_fd(&copying->target), tree->name, 0700) == 0;
  if (!made && errno != EEXIST) return status_of(-1);
  status = descent_open(&copying->target, tree->name);
  if (status == 0) descent_top(&copying->target)->is_new = made;
  return status;
}

static int leave(struct copying *copying, const struct stat *info) {
  const struct level *level = descent_top(&copying->target);
  const struct timespec times[2] = {info->st_atim, info->st_mtim};
  int status = 0;
  if (level->is_new) status = status_of(futimens(level->fd, times));
  if (level->is_new && status == 0)
    status = status_of(fchmod(level->fd, info->st_mode & 0777));
  return status < 0 ? status : descent_leave(&copying->target);
}

/* A directory whose permissions forbid it could not be left by "..", so it is
 * asked for by its name. */
static int leave_entry(struct copying *copying) {
  const struct tree *tree = &copying->tree;
  struct stat info;
  int status =
    status_of(fstatat(tree_fd(tree), tree->name, &info, AT_SYMLINK_NOFOLLOW));
  return status < 0 ? status : leave(copying, &info);
}

static int take(struct copying *copying, enum tree_event event) {
  switch (event) {
    case TREE_ENTRY: return copy_entry(copying);
    case TREE_ENTER: return enter(copying);
    case TREE_LEAVE: return leave_entry(copying);
    case TREE_END: return leave(copying, &copying->root);
    default: return copying->tree.status;
  }
}

/* ---- begin --------------------------------------------------------------- */

/* Whether a directory is the source, or lies below it; it is closed. */
static bool is_below(int fd, const struct stat *source) {
  struct stat info, last = {0};
  bool is = false;
  while (fd >= 0 && fstat(fd, &info) == 0 && !is && !is_same(&info, &last)) {
    is = is_same(&info, source);
    last = info;
    int up = openat(fd, "..", DESCENT_LOOK);
    close(fd);
    fd = up;
  }
  if (fd >= 0) close(fd);
  return is;
}

/* The target, or the directory in which it will be. */
static int open_around(const char *path) {
  char *name;
  int fd = open(path, DESCENT_LOOK);
  if (fd >= 0) return fd;
  fd = descent_around(path, &name);
  free(name);
  return fd;
}

static int open_target(struct copying *copying) {
  bool made = mkdir(copying->to, 0700) == 0;
  if (!made && (errno != EEXIST || !copying->overwrite)) return status_of(-1);
  int fd = open(copying->to, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return status_of(-1);
  int status = descent_enter(&copying->target, fd, false);
  if (status < 0) return status;
  descent_top(&copying->target)->is_new = made;
  return status_of(fstat(fd, &copying->copied));
}

static int begin_tree(struct copying *copying) {
  if (!copying->recursive) return refuse(copying, UV_EISDIR, tree_text);
  if (is_below(open_around(copying->to), &copying->root))
    return refuse(copying, UV_EINVAL, inside_text);
  int fd = open(copying->from, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return status_of(-1);
  int status = tree_open(&copying->tree, fd, "");
  if (status == 0) status = open_target(copying);
  copying->is_tree = status == 0;
  return status;
}

static int begin_file(struct copying *copying) {
  int around = descent_around(copying->to, &copying->name);
  if (around < 0) return around;
  copying->around = around;
  const char *name = copying->name;
  int status = copy_file(copying, AT_FDCWD, copying->from, 0, around, name);
  bool slash = name[0] == '\0' || name[strlen(name) - 1] == '/';
  if (status < 0 || !slash) return status;
  filecopy_drop(&copying->file);
  return UV_ENOTDIR;
}

static int begin(struct copying *copying) {
  int status = status_of(stat(copying->from, &copying->root));
  if (status < 0) return status;
  if (S_ISDIR(copying->root.st_mode)) return begin_tree(copying);
  if (!S_ISREG(copying->root.st_mode))
    return refuse(copying, UV_EINVAL, special_text);
  return begin_file(copying);
}

bool copying_step(struct copying *copying) {
  bool more = true;
  if (copying->file.beside != NULL) {
    more = filecopy_step(&copying->file, &copying->status);
    more = more || (copying->is_tree && copying->status == 0);
  } else if (!copying->is_tree) {
    copying->status = begin(copying);
  } else {
    enum tree_event event = tree_next(&copying->tree);
    copying->status = take(copying, event);
    more = event != TREE_END;
  }
  return more && copying->status == 0;
}

const char *copying_place(const struct copying *copying) {
  return copying->is_tree ? copying->tree.path.at : "";
}

void copying_stop(struct copying *copying) {
  filecopy_drop(&copying->file);
}

void copying_free(struct copying *copying) {
  filecopy_drop(&copying->file);
  if (copying->name != NULL) close(copying->around);
  free(copying->name);
  descent_close(&copying->target);
  tree_close(&copying->tree);
}
