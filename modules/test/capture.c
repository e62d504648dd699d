/* capture.c - stdout and stderr of the process go into files for a while.
 *
 * The descriptors are exchanged, not Lua's file handles: so what C code, the
 * host and children write is seen too. They are files and not pipes, because a
 * pipe that nobody reads would stop its writer. Whatever happens the old
 * descriptors come back: at the latest when the object is collected. */
#include <errno.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include "host/class.h"
#include "host/output.h"
#include "modules/test/test.h"

static const char class_name[] = "test.capture";

struct capture {
  int saved[2]; /* the old stdout and stderr, -1: they are in place */
  int files[2]; /* what is written instead, -1: there is none */
};

static void flush(void) {
  fflush(stdout);
  fflush(stderr);
}

static void close_both(int fds[2]) {
  for (int i = 0; i < 2; i++) {
    if (fds[i] >= 0) close(fds[i]);
    fds[i] = -1;
  }
}

static void restore(struct capture *capture) {
  if (capture->saved[0] < 0) return;
  flush();
  for (int i = 0; i < 2; i++) dup2(capture->saved[i], STDOUT_FILENO + i);
  output_look_again();
  close_both(capture->saved);
}

static int open_file(void) {
  char path[4096];
  const char *parent = getenv("TMPDIR");
  if (parent == NULL || parent[0] != '/') parent = "/tmp";
  int size = snprintf(path, sizeof path, "%s/neap-XXXXXX", parent);
  if (size >= (int)sizeof path) {
    errno = ENAMETOOLONG;
    return -1;
  }
  int fd = mkstemp(path);
  if (fd < 0) return -1;
  unlink(path);
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  return fd;
}

static bool open_all(struct capture *capture) {
  for (int i = 0; i < 2; i++) {
    int fd = STDOUT_FILENO + i;
    capture->files[i] = open_file();
    capture->saved[i] = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (capture->files[i] < 0 || capture->saved[i] < 0) return false;
  }
  return true;
}

/* capture() -> object */
static int capture_new(lua_State *L) {
  struct capture *capture = lua_newuserdatauv(L, sizeof *capture, 0);
  *capture = (struct capture){{-1, -1}, {-1, -1}};
  class_set(L, class_name);
  flush();
  if (!open_all(capture)) {
    int error = errno;
    close_both(capture->saved);
    close_both(capture->files);
    return luaL_error(L, "cannot capture: %s",
                      uv_strerror(uv_translate_sys_error(error)));
  }
  for (int i = 0; i < 2; i++) dup2(capture->files[i], STDOUT_FILENO + i);
  output_look_again();
  return 1;
}

/* ---- methods ------------------------------------------------------------- */

static void push_file(lua_State *L, int fd) {
  luaL_Buffer text;
  off_t at = 0;
  ssize_t count;
  luaL_buffinit(L, &text);
  do {
    char *memory = luaL_prepbuffer(&text);
    count = pread(fd, memory, LUAL_BUFFERSIZE, at);
    if (count <= 0) break;
    luaL_addsize(&text, (size_t)count);
    at += count;
  } while (true);
  luaL_pushresult(&text);
}

/* texts() -> stdout, stderr: so far */
static int texts(lua_State *L) {
  const struct capture *capture = class_check(L, 1, class_name);
  if (capture->saved[0] >= 0) flush();
  for (int i = 0; i < 2; i++) push_file(L, capture->files[i]);
  return 2;
}

static int end(lua_State *L) {
  restore(class_check(L, 1, class_name));
  return 0;
}

static int collect(lua_State *L) {
  struct capture *capture = lua_touserdata(L, 1);
  restore(capture);
  close_both(capture->files);
  return 0;
}

static const luaL_Reg methods[] = {
  {"restore", end},
  {"texts", texts},
  {NULL, NULL},
};

void test_capture_open(lua_State *L) {
  class_open(L, class_name, methods, NULL);
  lua_pushcfunction(L, collect);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
}

const luaL_Reg test_capture[] = {
  {"capture", capture_new},
  {NULL, NULL},
};
