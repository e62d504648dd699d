/* tempfile.c - fs.tempfile: an open file whose name goes when it is closed. The
 * file does that (file.c: removes); until there is one, the job would. */
#include <fcntl.h>
#include <lauxlib.h>
#include <stdlib.h>

#include "host/host.h"
#include "host/job.h"
#include "modules/fs/descriptor.h"
#include "modules/fs/file.h"
#include "modules/fs/fs.h"
#include "modules/fs/temp.h"

struct making {
  struct job job; /* first member */
  struct opened opened;
  struct temp_place place;
  char *path; /* malloc; NULL until it is made */
  char memory[];
};

static int make(const char *path) {
  return descriptor_open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
}

static void work(struct job *job) {
  struct making *making = (struct making *)job;
  int fd = temp_make(&making->place, make, &making->path);
  job->status = fd < 0 ? fd : file_opened(&making->opened, fd);
}

static void removed(uv_fs_t *uv) {
  uv_fs_req_cleanup(uv);
  free(uv);
}

/* Nobody has taken it. */
static void remove_path(const struct making *making) {
  uv_fs_t *uv = malloc(sizeof *uv);
  if (uv == NULL) return;
  if (uv_fs_unlink(&making->job.host->loop, uv, making->path, removed) < 0)
    free(uv);
}

static void let_go(struct job *job) {
  struct making *making = (struct making *)job;
  if (making->opened.fd >= 0) {
    remove_path(making);
    descriptor_close(job->host, making->opened.fd);
  }
  making->opened.fd = -1;
  free(making->path);
  making->path = NULL;
}

/* The collector may come late. */
static void done(struct job *job) {
  if (job_is_given_up(job)) let_go(job);
}

static int finish(lua_State *L) { /* directory, prefix, box */
  struct making *making = job_at(L, 3);
  int status = job_status(L, &making->job);
  if (status < 0) return fs_error(L, status, "tempfile", 1);
  file_push(L, &making->opened, making->path);
  job_done(L, 3);
  return 1;
}

static const struct job_kind kind = {
  .wait = {"tempfile", finish, job_interrupt},
  .work = work,
  .free = let_go,
  .done = done};

int fs_tempfile(lua_State *L) {
  struct temp_place place;
  temp_arguments(L, &place);
  struct making *making =
    job_push(L, &kind, sizeof *making + temp_place_size(&place));
  making->place = temp_place_copy(&place, making->memory);
  making->opened = (struct opened){
    .fd = -1, .flags = O_RDWR, .removes = true, .origin = origin_here(L)};
  lua_insert(L, 3);
  return job_start(L, &making->job, 4, WAIT_FOREVER);
}
