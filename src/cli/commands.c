/* SPDX-License-Identifier: MIT */
#include "cli/commands.h"

#define ENDED                                                                                      \
    {                                                                                              \
        .name = NULL                                                                               \
    }

const struct option_row global_options[] = {
    {"config", 'c', OPTION_TEXT, "FILE", "configuration file"},
    {"socket", 0, OPTION_TEXT, "PATH", "control socket of viduhookd"},
    {"json", 0, OPTION_FLAG, NULL, "print JSON"},
    {"no-color", 0, OPTION_FLAG, NULL, "no colours"},
    {"help", 'h', OPTION_FLAG, NULL, "explain a command"},
    {"version", 'V', OPTION_FLAG, NULL, "print the versions of viduhook and its libraries"},
    ENDED,
};

static const struct option_row no_options[] = {ENDED};

static const struct option_row submit_options[] = {
    {"provider", 'p', OPTION_TEXT, "NAME", "provider to send to; default: the first configured"},
    {"model", 'm', OPTION_TEXT, "NAME", "model"},
    {"prompt", 0, OPTION_TEXT, "TEXT", "prompt"},
    {"image", 'i', OPTION_LIST, "FILE|URL",
     "an image, in order; files are sent along, or uploaded"},
    {"video", 0, OPTION_LIST, "FILE|URL", "a video, likewise"},
    {"audio", 0, OPTION_LIST, "FILE|URL", "a sound, likewise"},
    {"frame", 0, OPTION_LIST, "FILE|URL[,SECONDS[,PROMPT]]", "the next image of multiframe"},
    {"subject", 0, OPTION_LIST, "NAME=FILE|URL[,...]", "a subject and its images"},
    {"set", 's', OPTION_LIST, "NAME=VALUE", "any other field; VALUE may be JSON"},
    {"tag", 't', OPTION_LIST, "NAME[=VALUE]", "a tag of the task, for hooks and lists"},
    {"payload", 0, OPTION_TEXT, "TEXT", "text that the provider hands back"},
    {"body", 0, OPTION_TEXT, "FILE", "read the request from a JSON file, - is standard input"},
    {"wait", 'w', OPTION_FLAG, NULL, "wait until the task is finished"},
    {"timeout", 0, OPTION_DURATION, "DURATION", "wait, but no longer than this"},
    {"output", 'o', OPTION_TEXT, "FILE", "wait, then save the video as FILE"},
    {"force", 'f', OPTION_FLAG, NULL, "replace FILE; send to an endpoint that is not known here"},
    {"dry-run", 'n', OPTION_FLAG, NULL, "print the request, images shortened; send nothing"},
    ENDED,
};

static const struct option_row list_options[] = {
    {"state", 0, OPTION_TEXT, "STATE", "submitted, processing, success, failed, ...: viduhook(1)"},
    {"provider", 'p', OPTION_TEXT, "NAME", "only tasks of this provider"},
    {"tag", 't', OPTION_TEXT, "NAME[=VALUE]", "only tasks with this tag"},
    {"since", 0, OPTION_TEXT, "DURATION|DAY", "only tasks created since then: 12h, 7d, 2026-11-20"},
    {"limit", 'l', OPTION_NUMBER, "N", "at most so many, newest first; default 50"},
    ENDED,
};

static const struct option_row show_options[] = {
    {"urls", 0, OPTION_FLAG, NULL, "whole URLs, with the query that grants access"},
    ENDED,
};

static const struct option_row watch_options[] = {
    {"timeout", 0, OPTION_DURATION, "DURATION", "watch no longer than this"},
    ENDED,
};

static const struct option_row runs_options[] = {
    {"task", 0, OPTION_TEXT, "ID", "only runs of this task"},
    {"state", 0, OPTION_TEXT, "STATE", "waiting, ready, running, done, dead, cancelled or failed"},
    {"hook", 0, OPTION_TEXT, "NAME", "only runs of this hook"},
    {"limit", 'l', OPTION_NUMBER, "N", "at most so many, newest first; default 50"},
    ENDED,
};

static const struct option_row files_options[] = {
    {"task", 0, OPTION_TEXT, "ID", "only files of this task"},
    {"verify", 0, OPTION_FLAG, NULL, "read every file and compare it with what was stored"},
    ENDED,
};

static const struct option_row retry_options[] = {
    {"dead", 0, OPTION_FLAG, NULL, "every dead run"},
    {"hook", 0, OPTION_TEXT, "NAME", "with --dead: only those of this hook"},
    {"since", 0, OPTION_TEXT, "DURATION|DAY", "with --dead: only those called for since then"},
    {"rate", 0, OPTION_NUMBER, "N", "with --dead: so many a second; default 10"},
    ENDED,
};

static const struct option_row replay_options[] = {
    {"hook", 0, OPTION_TEXT, "NAME", "only this hook, whatever its `on` and `match`"},
    {"as-received", 0, OPTION_FLAG, NULL, "judge the callback again, with the bytes that came"},
    {"edit", 0, OPTION_FLAG, NULL, "change what the callback said in $VISUAL or $EDITOR first"},
    {"event", 0, OPTION_NUMBER, "N", "the Nth entry of the timeline; default: the last callback"},
    ENDED,
};

static const struct option_row trigger_options[] = {
    {"hook", 0, OPTION_TEXT, "NAME", "only this hook, whatever its `on` and `match`"},
    {"state", 0, OPTION_TEXT, "STATE", "state of the sample, and the event that calls for it"},
    {"event", 0, OPTION_TEXT, "EVENT", "pretend that this happened; default: test"},
    {"set", 's', OPTION_LIST, "FIELD=VALUE", "prompt, model, url, tags.NAME, ... of the sample"},
    {"timeout", 0, OPTION_DURATION, "DURATION", "wait no longer than this; default 10m"},
    ENDED,
};

static const struct option_row adopt_options[] = {
    {"provider", 'p', OPTION_TEXT, "NAME", "provider that has the task; required"},
    {"endpoint", 0, OPTION_TEXT, "NAME", "endpoint it was created with"},
    {"tag", 't', OPTION_LIST, "NAME[=VALUE]", "a tag of the task"},
    {"wait", 'w', OPTION_FLAG, NULL, "wait until the task is finished"},
    {"timeout", 0, OPTION_DURATION, "DURATION", "wait, but no longer than this"},
    ENDED,
};

static const struct option_row import_options[] = {
    {"provider", 'p', OPTION_TEXT, "NAME", "provider of lines that name none"},
    {"tag", 't', OPTION_LIST, "NAME[=VALUE]", "a tag of each task, unless its line has it"},
    ENDED,
};

static const struct option_row credits_options[] = {
    {"provider", 'p', OPTION_TEXT, "NAME", "only this provider; default: all of them"},
    ENDED,
};

static const struct option_row spend_options[] = {
    {"since", 0, OPTION_TEXT, "DURATION|DAY", "since then: 12h, 7d, 2026-11-20; default: 30d"},
    {"by", 0, OPTION_TEXT, "WAY", "day, provider or task; default: day"},
    ENDED,
};

static const struct option_row sign_options[] = {
    {"url", 'u', OPTION_TEXT, "URL", "callback URL; required"},
    {"secret-file", 0, OPTION_TEXT, "FILE", "file that holds the secret, - is standard input"},
    {"secret-env", 0, OPTION_TEXT, "NAME", "environment variable that holds the secret"},
    {"date", 0, OPTION_TEXT, "DATE", "Date header; default: now"},
    {"nonce", 0, OPTION_TEXT, "TEXT", "nonce; default: a random UUID"},
    ENDED,
};

static const struct option_row verify_options[] = {
    {"url", 'u', OPTION_TEXT, "URL", "callback URL; default: the request line of FILE"},
    {"secret-file", 0, OPTION_LIST, "FILE", "file that holds a secret to try"},
    {"secret-env", 0, OPTION_LIST, "NAME", "environment variable that holds a secret to try"},
    {"header", 'H', OPTION_LIST, "NAME: VALUE", "a header of the request"},
    ENDED,
};

static const struct option_row config_show_options[] = {
    {"file", 0, OPTION_FLAG, NULL, "what the file says, not what viduhookd has in force"},
    ENDED,
};

static const struct option_row doctor_options[] = {
    {"hooks", 0, OPTION_FLAG, NULL, "examine every hook of the configuration"},
    ENDED,
};

static const char doctor_help[] =
    "Asks without doing anything: whether programs may be run, directories be written to,\n"
    "servers know our token, and libraries hold the folder that files come to lie in. Needs no\n"
    "daemon; run it as the daemon's user. The exit status is 1 when something is wrong.";

static const char submit_help[] =
    "Creates a task at a provider, through viduhookd, and prints its id. An endpoint that answers\n"
    "at once makes no task: its answer is printed. `viduhook submit --help ENDPOINT` shows the\n"
    "fields of one. The {id} in a name is the id of the task that is meant.\n"
    "\n"
    "The request is put together from a JSON body, if there is one (--body, or `-` after the\n"
    "endpoint for standard input), and the options, which win. Files are read, checked and\n"
    "encoded before anything is sent. What the documentation would object to is a warning.\n"
    "\n"
    "A create call that got no answer is never repeated: it could be billed twice.";

static const char explain_help[] =
    "Tells the story of a task: its request, every callback with its verdict and reason, what\n"
    "looks at the provider told or why they failed, every run of a hook, and what happens next.";

static const char watch_help[] =
    "Prints what happens as it happens, one line an event. With an ID it ends when the task and\n"
    "its runs are finished: 0 when all went well, 8 when the task failed, 1 when a hook gave up.";

static const char files_help[] =
    "Each file with its size and the first digits of its SHA-256; --json has all of them. Files\n"
    "are known as long as their task is kept (retain). With --verify the status is 1 when one is\n"
    "missing, changed or cannot be read by the user who asks.";

static const char tail_help[] =
    "Prints the output of a run, standard output and standard error together: what is kept of it,\n"
    "and what comes, until the attempt is over; one that has not begun is waited for. How it\n"
    "ended stands on standard error; the exit status is 0 when it was done, else 1. What is\n"
    "written faster than it can be shown is left out, and said to be.";

static const char cancel_run_help[] =
    "A run that waits is not made; the command of one under way gets TERM and, when it has not\n"
    "gone 10 seconds later, KILL. It is not tried again, and the runs that wait for it are\n"
    "cancelled too. `viduhook retry RUN` takes it back.";

static const char replay_help[] =
    "Calls the hooks of a finished task again: those that today's configuration calls for its\n"
    "state, with the task as it is stored. With --as-received what the provider said is judged\n"
    "again; when the task has got there already, its hooks are called with what was said then,\n"
    "and when it is news the task moves on. With --edit hooks are told the edited payload; the\n"
    "task and the callback on record stay as they are. VIDUHOOK_REPLAY is 1 in these runs.";

static const char trigger_help[] =
    "Runs hooks with sample data, waits for them and prints how they ended, what they said, and\n"
    "exactly what they were given: arguments, environment, standard input. It is the hook that is\n"
    "named, or those that a real task like the sample would call. A run that fails is not tried\n"
    "again. Exit status 0 when all of them succeeded, else 1. The sample names a video that is\n"
    "nowhere: a `download` hook fails on it, so name the hook that is meant.";

static const char import_help[] =
    "Takes over many tasks that were created elsewhere: one JSON object a line, such as\n"
    "{\"remote_id\": \"912345678901234001\", \"provider\": \"vidu\", \"endpoint\": \"img2video\",\n"
    "\"tags\": {\"album\": \"x\"}}; all but remote_id may be left out. The whole file is checked\n"
    "first: with a bad line, each is reported by its number and nothing is taken over. Then the\n"
    "tasks are taken over one by one, and the first one that fails ends it; a task that is here\n"
    "already stays as it is, so the same file may be given again.";

static const char credits_help[] =
    "Asks providers for the credits that are left, the tasks that run and may run at once, and\n"
    "those that wait in its queue. A provider that does not tell is named on standard error.";

static const char cancel_help[] =
    "Asks the provider to cancel a task. It agrees only while the task is queued, above all when\n"
    "it is off-peak; otherwise the exit status is 3 and its reason is printed. What becomes of\n"
    "the task is told by its callback, or by a look that is made at once.";

static const char spend_help[] =
    "Adds up what tasks have cost, by the day (UTC) they were created and by provider. Credits "
    "are\n"
    "what providers named; tasks that failed, were cancelled or were taken over count nothing.\n"
    "REPLACED counts tasks whose end a look told, because no callback did.";

static const char sign_help[] =
    "Prints the six headers of a callback that is signed as Vidu signs it. Needs no daemon.\n"
    "The secret is the API key the task was created with; it is never taken from the command\n"
    "line, where other users could see it.";

static const char verify_help[] =
    "Checks the signature of a callback and prints the verdict; when it is wrong, also the\n"
    "string that was signed, to compare. Needs no daemon. The request is a FILE with the raw\n"
    "request line and headers (- is standard input), or --url and one -H for each header.";

static const char config_placeholders_help[] =
    "Lists the placeholders of hooks, the variable that each of them is to a command, and the\n"
    "filters, separated by tabs. See viduhook-hooks(7).\n";

static const char config_options_help[] =
    "Lists every option of the configuration: its name, type, range, default and meaning,\n"
    "separated by tabs.";

static const char init_help[] =
    "Writes a configuration into DIR that runs at once: viduhook.yaml, a self-signed\n"
    "certificate and its key, a made-up API key to replace, and a folder for media.\n"
    "Keys and a certificate that are there already are kept; a viduhook.yaml is refused.";

static const char sim_help[] =
    "Runs a provider on this machine that behaves like Vidu, and misbehaves on request.";

const struct command commands[] = {
    {"submit", "ENDPOINT [-] [OPTIONS]", "create a task", submit_help, submit_options, 1, 2,
     command_submit},
    {"list", "[OPTIONS]", "list tasks, newest first", NULL, list_options, 0, 0, command_list},
    {"show", "ID [--urls]", "show one task: fields, results, files, runs", NULL, show_options, 1, 1,
     command_show},
    {"explain", "ID", "tell the story of a task", explain_help, no_options, 1, 1, command_explain},
    {"watch", "[ID]", "follow events as they happen", watch_help, watch_options, 0, 1,
     command_watch},
    {"runs", "[OPTIONS]", "list runs of hooks, newest first", NULL, runs_options, 0, 0,
     command_runs},
    {"tail", "RUN", "what a command says, as it says it", tail_help, no_options, 1, 1,
     command_tail},
    {"files", "[--task ID] [--verify]", "list the files that downloads stored, oldest first",
     files_help, files_options, 0, 0, command_files},
    {"retry", "RUN... | --dead [OPTIONS]", "make runs of hooks again, above all failed ones", NULL,
     retry_options, 0, 1000, command_retry},
    {"cancel-run", "RUN", "end a run of a hook, or see to it that it is not made", cancel_run_help,
     no_options, 1, 1, command_cancel_run},
    {"replay", "ID [OPTIONS]", "call the hooks of a task again", replay_help, replay_options, 1, 1,
     command_replay},
    {"pause", "HOOK", "let the runs of a hook wait, until it is resumed", NULL, no_options, 1, 1,
     command_pause},
    {"resume", "HOOK", "let the runs of a paused hook go on", NULL, no_options, 1, 1,
     command_resume},
    {"trigger", "[--hook NAME] [OPTIONS]", "run hooks with sample data", trigger_help,
     trigger_options, 0, 0, command_trigger},
    {"adopt", "REMOTE_ID --provider NAME", "take over a task that was created elsewhere", NULL,
     adopt_options, 1, 1, command_adopt},
    {"import", "FILE [OPTIONS]", "take over many tasks that were created elsewhere", import_help,
     import_options, 1, 1, command_import},
    {"cancel", "ID", "cancel a task at its provider", cancel_help, no_options, 1, 1,
     command_cancel},
    {"sign", "--url URL --secret-file FILE", "print the headers of a signed callback", sign_help,
     sign_options, 0, 0, command_sign},
    {"verify", "[FILE] --secret-file FILE", "check the signature of a callback", verify_help,
     verify_options, 0, 1, command_verify},
    {"status", "", "how viduhookd is doing", NULL, no_options, 0, 0, command_status},
    {"credits", "[--provider NAME]", "what is left at the providers", credits_help, credits_options,
     0, 0, command_credits},
    {"spend", "[--since DURATION|DAY] [--by WAY]", "what tasks have cost", spend_help,
     spend_options, 0, 0, command_spend},
    {"reload", "", "make viduhookd read its configuration again", NULL, no_options, 0, 0,
     command_reload},
    {"doctor", "--hooks", "ask the target of each hook whether it could be served", doctor_help,
     doctor_options, 0, 0, command_doctor},
    {"config show", "[--file]", "print the configuration in force, without secrets", NULL,
     config_show_options, 0, 0, command_config_show},
    {"config check", "[FILE]", "report every mistake in a configuration", NULL, no_options, 0, 1,
     command_config_check},
    {"config options", "", "list every option of the configuration", config_options_help,
     no_options, 0, 0, command_config_options},
    {"config placeholders", "", "list what hooks may put into their texts",
     config_placeholders_help, no_options, 0, 0, command_config_placeholders},
    {"init", "DIR", "write a configuration to start from", init_help, no_options, 1, 1,
     command_init},
    {"sim", "[OPTIONS]", "simulate a provider on this machine", sim_help, no_options, 0, 0, NULL},
    {.name = NULL},
};
