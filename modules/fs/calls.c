/* calls.c - the calls of the system behind the simple functions about names. */
#include "modules/fs/calls.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

static int status_of(int result) {
  return result < 0 ? uv_translate_sys_error(errno) : 0;
}

int call_access(struct call *call) {
  return status_of(faccessat(AT_FDCWD, call->path, call->access, AT_EACCESS));
}

int call_chmod(struct call *call) {
  return status_of(chmod(call->path, call->mode));
}

int call_chown(struct call *call) {
  return status_of(chown(call->path, call->uid, call->gid));
}

int call_link(struct call *call) {
  return status_of(link(call->path, call->other));
}

int call_rename(struct call *call) {
  return status_of(rename(call->path, call->other));
}

int call_symlink(struct call *call) {
  return status_of(symlink(call->path, call->other));
}

int call_stat(struct call *call) {
  return info_get(AT_FDCWD, call->path, true, &call->info);
}

int call_lstat(struct call *call) {
  return info_get(AT_FDCWD, call->path, false, &call->info);
}

int call_utime(struct call *call) {
  const struct timespec times[2] = {call->atime, call->mtime};
  return status_of(utimensat(AT_FDCWD, call->path, times, 0));
}

int call_space(struct call *call) {
  return status_of(statvfs(call->path, &call->space));
}

int call_realpath(struct call *call) {
  call->text = realpath(call->path, NULL);
  return call->text == NULL ? uv_translate_sys_error(errno) : 0;
}

/* What it says it is as long as may be 0, as in /proc, or have grown. */
int call_readlink(struct call *call) {
  for (size_t room = 256;; room *= 2) {
    char *text = realloc(call->text, room);
    if (text == NULL) return UV_ENOMEM;
    call->text = text;
    ssize_t size = readlink(call->path, text, room);
    if (size < 0) return status_of(-1);
    if ((size_t)size == room) continue;
    text[size] = '\0';
    return 0;
  }
}

/* ---- mkdir --------------------------------------------------------------- */

static bool is_directory(const char *path) {
  struct stat info;
  return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

/* Somebody else may make the same ones meanwhile. */
static int make(const char *path, mode_t mode, bool may_exist) {
  if (mkdir(path, mode) == 0) return 0;
  int status = status_of(-1);
  return may_exist && is_directory(path) ? 0 : status;
}

static int make_parents(char *path) {
  int status = 0;
  for (char *at = path + 1; *at != '\0' && status == 0; at++) {
    if (*at != '/' || at[-1] == '/') continue;
    *at = '\0';
    status = make(path, 0777, true);
    *at = '/';
  }
  return status;
}

int call_mkdir(struct call *call) {
  size_t size = strlen(call->path);
  while (size > 1 && call->path[size - 1] == '/') call->path[--size] = '\0';
  int status = make(call->path, call->mode, call->parents);
  if (status != UV_ENOENT || !call->parents || size == 0) return status;
  status = make_parents(call->path);
  return status < 0 ? status : make(call->path, call->mode, true);
}
