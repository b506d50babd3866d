#include "support_io.h"

#include <signal.h>
#include <stddef.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "core/service.h"

/* What systemd listens to. */
static int
notify_socket(struct sockaddr_un *at, socklen_t len)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)at, len), 0);
	return fd;
}

static void
assert_heard(int fd, const char *what)
{
	char text[256];
	ssize_t n = recv(fd, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	assert_string_equal(text, what);
}

static void
test_notify_path(void **state)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	char folder[] = "/tmp/xmpproxy-notify-XXXXXX";
	int fd;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(at.sun_path, sizeof(at.sun_path), "%s/socket", folder);
	fd = notify_socket(&at, sizeof(at));
	setenv("NOTIFY_SOCKET", at.sun_path, 1);
	service_notify("WATCHDOG=1");
	assert_heard(fd, "WATCHDOG=1");
	service_is_up();
	assert_heard(fd, "READY=1");
	unsetenv("NOTIFY_SOCKET");
	service_notify("READY=1");
	assert_heard(fd, "");
	close(fd);
	unlink(at.sun_path);
	/* Nobody there any more: no harm. */
	setenv("NOTIFY_SOCKET", at.sun_path, 1);
	service_notify("READY=1");
	rmdir(folder);
}

static void
test_notify_abstract(void **state)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	char name[64];
	int fd;

	(void)state;
	snprintf(name, sizeof(name), "@xmpproxy-test-%ld", (long)getpid());
	memcpy(at.sun_path + 1, name + 1, strlen(name) - 1);
	fd = notify_socket(&at,
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name)));
	setenv("NOTIFY_SOCKET", name, 1);
	service_notify("STOPPING=1");
	assert_heard(fd, "STOPPING=1");
	close(fd);
}

static void
test_notify_nonsense(void **state)
{
	char path[200];

	(void)state;
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	setenv("NOTIFY_SOCKET", path, 1);
	service_notify("READY=1");
	setenv("NOTIFY_SOCKET", "", 1);
	service_notify("READY=1");
	setenv("NOTIFY_SOCKET", "/", 1);
	service_notify("READY=1");
	unsetenv("NOTIFY_SOCKET");
}

static void
test_watchdog(void **state)
{
	static const struct {
		const char *usec;
		uint64_t ms;
	} rows[] = {
		{ "30000000", 15000 },
		{ "2000", 1 },
		{ "1999", 0 },
		{ "0", 0 },
		{ "", 0 },
		{ "-1", 0 },
		{ "30s", 0 },
		{ "99999999999999999999999", 0 },
	};
	char pid[32];

	(void)state;
	unsetenv("WATCHDOG_PID");
	unsetenv("WATCHDOG_USEC");
	assert_int_equal(service_watchdog_ms(), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		setenv("WATCHDOG_USEC", rows[i].usec, 1);
		assert_int_equal(service_watchdog_ms(), rows[i].ms);
	}
	setenv("WATCHDOG_USEC", "30000000", 1);
	snprintf(pid, sizeof(pid), "%ld", (long)getpid());
	setenv("WATCHDOG_PID", pid, 1);
	assert_int_equal(service_watchdog_ms(), 15000);
	/* Somebody else's. */
	setenv("WATCHDOG_PID", "1", 1);
	assert_int_equal(service_watchdog_ms(), 0);
	setenv("WATCHDOG_PID", "x", 1);
	assert_int_equal(service_watchdog_ms(), 0);
	unsetenv("WATCHDOG_PID");
	unsetenv("WATCHDOG_USEC");
}

/* --- into the background --- */

enum fate { COMES_UP, FAILS, EXITS_WELL, IS_KILLED };

/*
 * Its child says how it is placed, waits for a byte, and meets its fate; all of
 * the parent is its exit.
 */
static void __attribute__((noreturn))
in_background(enum fate fate, int go, int tell)
{
	bool placed;
	char byte;

	if (service_daemonize(NULL) == -1)
		_exit(99);
	placed = getsid(0) == getpid();
	if (write(tell, placed ? "s" : "-", 1) != 1 || read(go, &byte, 1) != 1)
		_exit(98);
	if (fate == FAILS)
		_exit(78);
	if (fate == EXITS_WELL)
		_exit(0);
	if (fate == IS_KILLED)
		kill(getpid(), SIGKILL);
	service_is_up();
	/* Its own output is gone by now; nothing of the caller's is kept. */
	if (write(STDOUT_FILENO, "", 1) != 1 || write(tell, "u", 1) != 1)
		_exit(97);
	_exit(0);
}

static int
exit_status(enum fate fate)
{
	int go[2], tell[2], status;
	pid_t child;
	char byte;

	assert_int_equal(pipe(go), 0);
	assert_int_equal(pipe(tell), 0);
	if ((child = fork()) == 0) {
		close(go[1]);
		close(tell[0]);
		in_background(fate, go[0], tell[1]);
	}
	close(go[0]);
	close(tell[1]);
	assert_int_equal(read(tell[0], &byte, 1), 1);
	assert_int_equal(byte, 's');
	/* The one who waits is still there. */
	assert_int_equal(waitpid(child, &status, WNOHANG), 0);
	assert_int_equal(write(go[1], "g", 1), 1);
	assert_int_equal(waitpid(child, &status, 0), child);
	if (fate == COMES_UP) {
		assert_int_equal(read(tell[0], &byte, 1), 1);
		assert_int_equal(byte, 'u');
	}
	close(go[1]);
	close(tell[0]);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
test_daemonize(void **state)
{
	(void)state;
	assert_int_equal(exit_status(COMES_UP), 0);
	assert_int_equal(exit_status(FAILS), 78);
	assert_int_equal(exit_status(EXITS_WELL), 1);
	assert_int_equal(exit_status(IS_KILLED), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_notify_path),
		cmocka_unit_test(test_notify_abstract),
		cmocka_unit_test(test_notify_nonsense),
		cmocka_unit_test(test_watchdog),
		cmocka_unit_test(test_daemonize),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
