/* list.c - fs.list: the names in a directory, sorted, read in one job. Of a tree
 * it is the first level: nothing is wanted, so nothing is entered. */
#include "modules/fs/list.h"

#include <errno.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "host/error.h"
#include "host/job.h"
#include "modules/fs/fs.h"
#include "modules/fs/tree.h"

struct list {
  struct job job; /* first member */
  struct bytes bytes;
  struct item *items; /* sorted; their texts lie in `bytes` */
  size_t count;
  char path[];
};

/* ---- in a thread: no Lua, no host ---------------------------------------- */

static int compare(const void *left, const void *right) {
  const struct item *a = left, *b = right;
  int order = memcmp(a->text, b->text, a->size < b->size ? a->size : b->size);
  if (order != 0) return order;
  return (a->size > b->size) - (a->size < b->size);
}

static int sort(struct list *list) {
  list->items = malloc((list->count + 1) * sizeof *list->items);
  if (list->items == NULL) return UV_ENOMEM;
  size_t at = 0;
  for (size_t i = 0; i < list->count; i++)
    at = bytes_item(&list->bytes, at, &list->items[i]);
  qsort(list->items, list->count, sizeof *list->items, compare);
  return 0;
}

static int add(struct list *list, const struct tree *tree) {
  struct item item = {tree->name, strlen(tree->name), (int)tree->kind};
  list->count++;
  return bytes_add_item(&list->bytes, &item) ? 0 : UV_ENOMEM;
}

static int read_all(struct list *list, struct tree *tree) {
  int status = 0;
  while (status == 0 && !job_is_given_up(&list->job)) {
    enum tree_event event = tree_next(tree);
    if (event == TREE_END) return sort(list);
    status = event == TREE_ENTRY ? add(list, tree) : tree->status;
  }
  return status == 0 ? UV_ECANCELED : status;
}

static void work(struct job *job) {
  struct list *list = (struct list *)job;
  struct tree tree = {0};
  int fd = open(list->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  job->status =
    fd < 0 ? uv_translate_sys_error(errno) : tree_open(&tree, fd, "");
  if (job->status == 0) job->status = read_all(list, &tree);
  tree_close(&tree);
}

/* ---- on the loop --------------------------------------------------------- */

static void free_list(struct job *job) {
  struct list *list = (struct list *)job;
  bytes_free(&list->bytes);
  free(list->items);
}

static int finish(lua_State *L) { /* path, box */
  const struct list *list = job_at(L, 2);
  int status = job_status(L, &list->job);
  if (status < 0) {
    lua_pushfstring(L, "list %s", lua_tostring(L, 1));
    return error_result(L, status, lua_tostring(L, -1));
  }
  lua_createtable(L, (int)list->count, 0);
  for (size_t i = 0; i < list->count; i++) {
    const struct item *item = &list->items[i];
    lua_createtable(L, 0, 2);
    lua_pushlstring(L, item->text, item->size);
    lua_setfield(L, -2, "name");
    lua_pushstring(L, kind_name((enum kind)item->number));
    lua_setfield(L, -2, "kind");
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  job_done(L, 2);
  return 1;
}

static const struct job_kind kind = {
  .wait = {"list", finish, job_interrupt}, .work = work, .free = free_list};

int fs_list(lua_State *L) {
  size_t size;
  const char *path = fs_check_path(L, 1, &size);
  lua_settop(L, 2);
  if (!lua_isnil(L, 2)) luaL_checktype(L, 2, LUA_TFUNCTION);
  struct list *list = job_push(L, &kind, sizeof *list + size + 1);
  lua_insert(L, 2);
  memcpy(list->path, path, size);
  return job_start(L, &list->job, 3, WAIT_FOREVER);
}
