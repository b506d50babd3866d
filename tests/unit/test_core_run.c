/* core/run.c; test_run.c is about the scripts. */
#include "support_io.h"
#include "support_store.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "base/text.h"
#include "core/run.h"
#include "mod/modules.h"
#include "xmpp/ns.h"

#define PATIENCE_MS 20000 /* nothing takes that long; then it hangs */

/* A proxy in a process of its own, and systemd's ear. */
struct running_proxy {
	char folder[64], path[96];
	int ear;
	pid_t pid;
	uint16_t port;
};

static void
write_config(const struct running_proxy *p, const char *body)
{
	FILE *f = fopen(p->path, "w");

	assert_non_null(f);
	fprintf(f,
	    "<config><node name='proxy.example'/>"
	    "<listen address='127.0.0.1' port='%u' tls='none'/>%s</config>",
	    p->port, body);
	fclose(f);
	assert_int_equal(chmod(p->path, 0600), 0);
}

/* One that was free a moment ago. */
static uint16_t
free_port(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&at, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	close(fd);
	return ntohs(at.sin_port);
}

static void
hear(const struct running_proxy *p, const char *what)
{
	struct pollfd ready = { .fd = p->ear, .events = POLLIN };
	char text[256];
	ssize_t n;

	if (poll(&ready, 1, PATIENCE_MS) != 1)
		fail_msg("no %s", what);
	n = recv(p->ear, text, sizeof(text) - 1, 0);
	text[n > 0 ? n : 0] = '\0';
	assert_string_equal(text, what);
}

static void __attribute__((noreturn)) serve(const struct running_proxy *p)
{
	struct err err;
	struct config *config;
	int null = open("/dev/null", O_WRONLY), rc;

	run_hold_signals();
	config = config_load(p->path, NULL, &err);
	dup2(null, STDERR_FILENO);
	if (config == NULL)
		_exit(78);
	/* exit(): the sanitizers look for what was not given back. */
	rc = run(config, modules, &err);
	exit(rc == -1 ? 1 : rc);
}

static void
begin(struct running_proxy *p, const char *body)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };

	snprintf(p->folder, sizeof(p->folder), "/tmp/xmpproxy-run-XXXXXX");
	assert_non_null(mkdtemp(p->folder));
	snprintf(p->path, sizeof(p->path), "%s/proxy.xml", p->folder);
	snprintf(at.sun_path, sizeof(at.sun_path), "%s/ear", p->folder);
	p->ear = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(p->ear, (struct sockaddr *)&at, sizeof(at)), 0);
	setenv("NOTIFY_SOCKET", at.sun_path, 1);
	p->port = free_port();
	write_config(p, body);
	fflush(NULL);
	if ((p->pid = fork()) == 0)
		serve(p);
}

static int
end(struct running_proxy *p)
{
	char command[96];
	int status;

	assert_int_equal(waitpid(p->pid, &status, 0), p->pid);
	close(p->ear);
	unsetenv("NOTIFY_SOCKET");
	snprintf(command, sizeof(command), "rm -r %s", p->folder);
	assert_int_equal(system(command), 0);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int
dial(const struct running_proxy *p)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons(p->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
		return fd;
	close(fd);
	return -1;
}

/* Until the peer has said this, or has ended. */
static bool
reads(int fd, const char *what)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	char text[8192] = "";
	size_t len = 0;
	ssize_t n;

	while (strstr(text, what) == NULL && len < sizeof(text) - 1) {
		if (poll(&ready, 1, PATIENCE_MS) != 1)
			return false;
		n = recv(fd, text + len, sizeof(text) - 1 - len, 0);
		if (n <= 0)
			return false;
		len += (size_t)n;
		text[len] = '\0';
	}
	return true;
}

static void
say_hello(int fd, const char *domain)
{
	char text[256];
	int len = snprintf(text, sizeof(text),
	    "<stream:stream to='%s' version='1.0' xmlns='jabber:client' "
	    "xmlns:stream='" NS_STREAMS "'>",
	    domain);

	assert_int_equal(write(fd, text, (size_t)len), len);
}

static void
test_serves(void **state)
{
	struct running_proxy p;
	int fd;

	(void)state;
	begin(&p, "");
	hear(&p, "READY=1");
	fd = dial(&p);
	assert_int_not_equal(fd, -1);
	say_hello(fd, "proxy.example");
	assert_true(reads(fd, "<mechanisms"));
	kill(p.pid, SIGTERM);
	hear(&p, "STOPPING=1");
	assert_true(reads(fd, "system-shutdown"));
	close(fd);
	assert_int_equal(dial(&p), -1);
	assert_int_equal(end(&p), 0);
}

static void
test_reload(void **state)
{
	struct running_proxy p;
	uint16_t before;
	int fd;

	(void)state;
	begin(&p, "");
	hear(&p, "READY=1");
	/* A bad file changes nothing. */
	write_config(&p, "<user/>");
	kill(p.pid, SIGHUP);
	hear(&p, "RELOADING=1");
	hear(&p, "READY=1");
	fd = dial(&p);
	say_hello(fd, "a.example");
	assert_true(reads(fd, "host-unknown"));
	close(fd);
	before = p.port;
	p.port = free_port();
	write_config(&p,
	    "<user name='a' passwd='x' detached='disconnect'>"
	    "<account jid='a@a.example' passwd='x'/></user>");
	kill(p.pid, SIGHUP);
	hear(&p, "RELOADING=1");
	hear(&p, "READY=1");
	fd = dial(&p);
	say_hello(fd, "a.example");
	assert_true(reads(fd, "<mechanisms"));
	close(fd);
	p.port = before;
	assert_int_equal(dial(&p), -1);
	kill(p.pid, SIGINT);
	hear(&p, "STOPPING=1");
	assert_int_equal(end(&p), 0);
}

/* Somebody else is there. */
static void
test_cannot_start(void **state)
{
	struct running_proxy p, other;

	(void)state;
	begin(&other, "");
	hear(&other, "READY=1");
	begin(&p, "<listen address='192.0.2.1' port='5222'/>");
	assert_int_equal(end(&p), 1);
	kill(other.pid, SIGTERM);
	hear(&other, "STOPPING=1");
	assert_int_equal(end(&other), 0);
}

static void
test_watchdog(void **state)
{
	struct running_proxy p;

	(void)state;
	setenv("WATCHDOG_USEC", "100000", 1);
	begin(&p, "");
	unsetenv("WATCHDOG_USEC");
	hear(&p, "READY=1");
	for (int i = 0; i < 3; i++)
		hear(&p, "WATCHDOG=1");
	kill(p.pid, SIGTERM);
	assert_int_equal(end(&p), 0);
}

/* A second signal ends it at once, whoever has not been told yet. */
static void
test_ends_at_once(void **state)
{
	struct running_proxy p;
	int fd;

	(void)state;
	begin(&p, "");
	hear(&p, "READY=1");
	fd = dial(&p);
	say_hello(fd, "proxy.example");
	assert_true(reads(fd, "<mechanisms"));
	kill(p.pid, SIGTERM);
	hear(&p, "STOPPING=1");
	kill(p.pid, SIGTERM);
	assert_int_equal(end(&p), 0);
	close(fd);
}

/* Passwords are still being hashed for people who are gone already. */
static void
test_ends_with_work_left(void **state)
{
	static const char auth[] = "<auth xmlns='" NS_SASL
				   "' mechanism='SCRAM-SHA-256'>"
				   "biwsbj14LHI9eA==</auth>";
	struct running_proxy p;
	int fds[40];

	(void)state;
	begin(&p, "");
	hear(&p, "READY=1");
	for (int i = 0; i < 40; i++) {
		fds[i] = dial(&p);
		say_hello(fds[i], "proxy.example");
		assert_true(reads(fds[i], "<mechanisms"));
		assert_int_equal(write(fds[i], auth, sizeof(auth) - 1),
		    sizeof(auth) - 1);
		assert_true(reads(fds[i], "<challenge"));
	}
	for (int i = 0; i < 40; i++)
		(void)!write(fds[i],
		    "<response xmlns='" NS_SASL "'>Yz1iaXdzLHI9eCxwPXg9"
		    "</response>",
		    sizeof("<response xmlns='" NS_SASL
			   "'>Yz1iaXdzLHI9eCxwPXg9</response>") -
			1);
	kill(p.pid, SIGTERM);
	hear(&p, "STOPPING=1");
	kill(p.pid, SIGTERM);
	assert_int_equal(end(&p), 0);
	for (int i = 0; i < 40; i++)
		close(fds[i]);
}

/* Nothing can be kept any more: another process has to try, and systemd knows it. */
static void
test_ends_where_the_store_fails(void **state)
{
	struct running_proxy p;
	char *path;

	(void)state;
	begin(&p, "");
	hear(&p, "READY=1");
	path = mem_printf("%s/xmpproxy.db", p.folder);
	store_change(path, "ALTER TABLE state RENAME TO gone");
	free(path);
	write_config(&p,
	    "<user name='a' passwd='x' detached='disconnect'>"
	    "<account jid='a@a.example' passwd='x'/></user>");
	kill(p.pid, SIGHUP);
	assert_int_equal(end(&p), RUN_STORE_FAILED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_serves),
		cmocka_unit_test(test_reload),
		cmocka_unit_test(test_cannot_start),
		cmocka_unit_test(test_watchdog),
		cmocka_unit_test(test_ends_at_once),
		cmocka_unit_test(test_ends_with_work_left),
		cmocka_unit_test(test_ends_where_the_store_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
