/* upload.c - a file, its request, and the threads that are at it. */
#include "modules/http/forms/upload.h"

#include <errno.h>
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "host/class.h"
#include "host/closing.h"
#include "host/error.h"
#include "host/host.h"
#include "host/job.h"
#include "host/task.h"
#include "modules/http/forms/saving.h"
#include "modules/http/request.h"

static const char class_name[] = "neap http upload";

struct upload {
  struct host *host;
  struct upload *next, **link; /* of its request; link NULL: that is over */
  int fd;                      /* -1: not open yet, or closed */
  unsigned jobs;               /* that use it, or want to */
  off_t size;
  bool links; /* it may be given a name, see saving.h */
  bool boxed; /* Lua holds it */
  char directory[];
};

/* ---- its end ------------------------------------------------------------- */

static void settle(struct upload *upload) {
  if (upload->jobs > 0 || upload->link != NULL) return;
  /* The system throws away what is in it, and that may take long. */
  if (upload->fd >= 0) close_in_thread(upload->host, upload->fd);
  upload->fd = -1;
  if (!upload->boxed) free(upload);
}

static void end(struct upload *upload) {
  if (upload->link != NULL) {
    *upload->link = upload->next;
    if (upload->next != NULL) upload->next->link = upload->link;
    upload->link = NULL;
  }
  settle(upload);
}

void uploads_end(struct upload *first) {
  while (first != NULL) {
    struct upload *next = first->next;
    end(first);
    first = next;
  }
}

static struct upload *upload_at(lua_State *L) {
  return *(struct upload **)class_check(L, 1, class_name);
}

static int upload_drop(lua_State *L) {
  end(upload_at(L));
  return 0;
}

static int collect(lua_State *L) {
  struct upload *upload = *(struct upload **)lua_touserdata(L, 1);
  if (upload == NULL) return 0;
  upload->boxed = false;
  end(upload);
  return 0;
}

/* ---- work on it ---------------------------------------------------------- */

struct transfer {
  struct job job; /* first member */
  struct upload *upload;
  const char *data; /* that is written: anchored */
  char *text;       /* that has been read */
  size_t size;
  off_t at;
  struct saving saving;
  char path[]; /* of the saving */
};

static void done(struct job *job) {
  struct upload *upload = ((struct transfer *)job)->upload;
  upload->jobs--;
  settle(upload);
}

static void let_go(struct job *job) {
  free(((struct transfer *)job)->text);
}

static struct transfer *push_transfer(lua_State *L, const struct job_kind *kind,
                                      size_t path_size) {
  struct transfer *transfer = job_push(L, kind, sizeof *transfer + path_size);
  transfer->upload = upload_at(L);
  return transfer;
}

/* The box of the job is at `box`, and on top. */
static int start(lua_State *L, struct transfer *transfer, int box) {
  struct upload *upload = transfer->upload;
  struct job *job = &transfer->job;
  if (upload->link == NULL) {
    struct task *late = wait_begin(L, &job->kind->wait, box + 1);
    return wait_fail(L, late, UV_ECANCELED);
  }
  struct task *task = job_wait(L, job, box + 1);
  upload->jobs++;
  job_begin(job);
  return wait_park(L, task, &job->waiter, WAIT_FOREVER);
}

static int fail(lua_State *L, const struct upload *upload, int status,
                const char *what) {
  if (status == UV_ECANCELED) {
    lua_pushnil(L);
    lua_pushfstring(L, "%s an upload: its request is over", what);
    lua_pushliteral(L, "ECANCELED");
    return 3;
  }
  lua_pushfstring(L, "%s an upload in %s", what, upload->directory);
  return error_result(L, status, lua_tostring(L, -1));
}

static int pass(lua_State *L, int box, const char *what) {
  const struct transfer *transfer = job_at(L, box);
  int status = job_status(L, &transfer->job);
  const struct upload *upload = upload_at(L);
  job_done(L, box);
  if (status < 0) return fail(L, upload, status, what);
  lua_pushboolean(L, 1);
  return 1;
}

/* ---- new(request, directory) --------------------------------------------- */

static void open_work(struct job *job) {
  struct upload *upload = ((struct transfer *)job)->upload;
  int fd = saving_open_nameless(upload->directory, &upload->links);
  if (fd < 0) job->status = fd;
  upload->fd = fd < 0 ? -1 : fd;
}

static int open_finish(lua_State *L) { /* upload, box */
  int count = pass(L, 2, "make");
  if (count > 1) return count;
  lua_settop(L, 1);
  return 1;
}

static const struct job_kind open_kind = {
  .wait = {"upload", open_finish, job_interrupt},
  .work = open_work,
  .free = let_go,
  .done = done};

static struct upload *push_upload(lua_State *L, const char *directory) {
  size_t size = strlen(directory) + 1;
  struct upload **box = lua_newuserdatauv(L, sizeof *box, 0);
  *box = NULL;
  class_set(L, class_name);
  struct upload *upload = *box = calloc(1, sizeof *upload + size);
  if (upload == NULL) luaL_error(L, "not enough memory for an upload");
  memcpy(upload->directory, directory, size);
  upload->host = host_of(L);
  upload->fd = -1;
  upload->boxed = true;
  return upload;
}

static int upload_new(lua_State *L) {
  struct request *request = request_check(L);
  struct upload *upload = push_upload(L, luaL_checkstring(L, 2));
  lua_replace(L, 1);
  lua_settop(L, 1);
  struct transfer *transfer = push_transfer(L, &open_kind, 0);
  if (request->client != NULL) { /* else start says that it is over */
    upload->link = &request->uploads;
    upload->next = request->uploads;
    if (upload->next != NULL) upload->next->link = &upload->next;
    request->uploads = upload;
  }
  return start(L, transfer, 2);
}

/* ---- append(upload, data) ------------------------------------------------ */

static void append_work(struct job *job) {
  struct transfer *transfer = (struct transfer *)job;
  while (transfer->size > 0 && !job_is_given_up(job)) {
    ssize_t n = pwrite(transfer->upload->fd, transfer->data, transfer->size,
                       transfer->at);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      job->status = uv_translate_sys_error(errno);
      return;
    }
    transfer->data += n;
    transfer->at += n;
    transfer->size -= (size_t)n;
  }
}

static void append_done(struct job *job) {
  struct transfer *transfer = (struct transfer *)job;
  transfer->upload->size = transfer->at;
  done(job);
}

static int append_finish(lua_State *L) { /* upload, data, box */
  return pass(L, 3, "write");
}

static const struct job_kind append_kind = {
  .wait = {"upload", append_finish, job_interrupt},
  .work = append_work,
  .free = let_go,
  .done = append_done};

static int upload_append(lua_State *L) {
  size_t size;
  const char *data = luaL_checklstring(L, 2, &size);
  lua_settop(L, 2);
  struct transfer *transfer = push_transfer(L, &append_kind, 0);
  transfer->data = data;
  transfer->size = size;
  transfer->at = transfer->upload->size;
  lua_pushvalue(L, 2);
  job_anchor(L, &transfer->job);
  return start(L, transfer, 3);
}

/* ---- read(upload, offset, count) ----------------------------------------- */

static void read_work(struct job *job) {
  struct transfer *transfer = (struct transfer *)job;
  size_t got = 0;
  transfer->text = malloc(transfer->size == 0 ? 1 : transfer->size);
  if (transfer->text == NULL) job->status = UV_ENOMEM;
  while (job->status == 0 && got < transfer->size && !job_is_given_up(job)) {
    ssize_t n = pread(transfer->upload->fd, transfer->text + got,
                      transfer->size - got, transfer->at + (off_t)got);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) job->status = uv_translate_sys_error(errno);
    if (n == 0) break; /* whoever has got its name has cut it */
    if (n > 0) got += (size_t)n;
  }
  transfer->size = got;
}

static int read_finish(lua_State *L) { /* upload, offset, count, box */
  const struct transfer *transfer = job_at(L, 4);
  int status = job_status(L, &transfer->job);
  if (status < 0) return fail(L, upload_at(L), status, "read");
  lua_pushlstring(L, transfer->text, transfer->size);
  job_done(L, 4);
  return 1;
}

static const struct job_kind read_kind = {
  .wait = {"upload", read_finish, job_interrupt},
  .work = read_work,
  .free = let_go,
  .done = done};

static int upload_read(lua_State *L) {
  off_t size = upload_at(L)->size;
  off_t at = (off_t)luaL_checkinteger(L, 2);
  lua_Integer most = luaL_checkinteger(L, 3);
  lua_settop(L, 3);
  if (at >= size) return 0;
  size_t count = (size_t)(most < size - at ? most : size - at);
  struct transfer *transfer = push_transfer(L, &read_kind, 0);
  transfer->at = at;
  transfer->size = count;
  return start(L, transfer, 4);
}

/* ---- save(upload, path, overwrite) --------------------------------------- */

static void save_work(struct job *job) {
  struct transfer *transfer = (struct transfer *)job;
  struct saving *saving = &transfer->saving;
  uint64_t limit = uv_hrtime() + 20000000;
  bool more = true;
  while (more && !job_is_given_up(job) && uv_hrtime() < limit)
    more = saving_step(saving);
  if (more && job_is_given_up(job))
    saving_drop(saving);
  else if (more)
    job->again = JOB_MORE;
  job->status = saving->status;
}

static void save_done(struct job *job) {
  struct transfer *transfer = (struct transfer *)job;
  const struct saving *saving = &transfer->saving;
  if (saving->links && !saving->linked) transfer->upload->links = true;
  done(job);
}

static int save_finish(lua_State *L) { /* upload, path, overwrite, box */
  const struct transfer *transfer = job_at(L, 4);
  int status = job_status(L, &transfer->job);
  job_done(L, 4);
  if (status == UV_ECANCELED) return fail(L, upload_at(L), status, "save");
  if (status == 0) {
    lua_pushboolean(L, 1);
    return 1;
  }
  lua_pushfstring(L, "save %s", lua_tostring(L, 2));
  return error_result(L, status, lua_tostring(L, -1));
}

static const struct job_kind save_kind = {
  .wait = {"upload", save_finish, job_interrupt},
  .work = save_work,
  .free = let_go,
  .done = save_done};

static int upload_save(lua_State *L) {
  size_t size;
  const char *path = luaL_checklstring(L, 2, &size);
  lua_settop(L, 3);
  struct transfer *transfer = push_transfer(L, &save_kind, size + 1);
  struct upload *upload = transfer->upload;
  memcpy(transfer->path, path, size + 1);
  transfer->saving = (struct saving){.from = upload->fd,
                                     .path = transfer->path,
                                     .overwrite = lua_toboolean(L, 3),
                                     .links = upload->links};
  upload->links = false; /* two at once would get the same file */
  return start(L, transfer, 4);
}

const luaL_Reg upload_functions[] = {
  {"append", upload_append}, {"drop", upload_drop},  {"read", upload_read},
  {"save", upload_save},     {"upload", upload_new}, {NULL, NULL},
};

void upload_open_class(lua_State *L) {
  static const luaL_Reg methods[] = {{NULL, NULL}};
  class_open(L, class_name, methods, NULL);
  lua_pushcfunction(L, collect);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
}
