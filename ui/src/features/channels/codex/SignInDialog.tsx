/** Three ways to give a channel a Codex account: the browser, a device code, a file. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { exhaustive } from "@/api/records";
import { Button, looksOf } from "@/shared/Button";
import { useNow } from "@/shared/clock";
import { CopyButton } from "@/shared/Copy";
import { Dialog } from "@/shared/Dialog";
import { AreaField, Choice, TextField } from "@/shared/Field";
import { duration } from "@/shared/format";
import { problemOf } from "@/shared/problems";
import { Failure } from "@/shared/states";
import { tell } from "@/shared/toasts";
import { cancelSignIn, finishSignIn, importAuth, type SignIn, signInQuery, startSignIn } from "./accounts";

type Way = SignIn["method"] | "FILE";
const WAYS = exhaustive<Way>({ BROWSER: true, DEVICE: true, FILE: true });

export function SignInDialog({ channelID, onClose }: { channelID: string; onClose: () => void }) {
  const { t } = useTranslation("channels");
  const queries = useQueryClient();
  const [way, setWay] = useState<Way>("BROWSER");
  // One sign-in for each way: looking at another way does not end it.
  const [signIns, setSignIns] = useState<Partial<Record<Way, SignIn>>>({});
  const starting = useMutation({
    mutationFn: (method: SignIn["method"]) => startSignIn(channelID, method),
    meta: { isTold: true },
    onSuccess: (signIn) => setSignIns((before) => ({ ...before, [signIn.method]: signIn })),
  });
  const done = () => {
    void queries.invalidateQueries({ queryKey: ["accounts", channelID] });
    tell(t("accounts.added"));
    onClose();
  };
  const leave = () => {
    for (const signIn of Object.values(signIns)) void cancelSignIn(signIn.id).catch(() => undefined);
    onClose();
  };
  const signIn = signIns[way];
  return (
    <Dialog title={t("accounts.add")} onClose={leave}>
      <div className="space-y-5">
        <Choice
          label={t("accounts.way")}
          value={way}
          options={WAYS.map((value) => ({ value, label: t(`accounts.ways.${value}`) }))}
          onChange={(value) => setWay(value as Way)}
          hint={t(`accounts.wayHints.${way}`)}
        />
        {way === "FILE" && <FileForm channelID={channelID} onDone={done} />}
        {way !== "FILE" && signIn === undefined && (
          <Button look="main" isBusy={starting.isPending} onClick={() => starting.mutate(way)}>
            {t("accounts.begin")}
          </Button>
        )}
        {starting.isError && starting.variables === way && <Failure error={starting.error} />}
        {way !== "FILE" && signIn !== undefined && (
          <Pending
            key={signIn.id}
            signIn={signIn}
            onDone={done}
            onAnew={() => {
              setSignIns(({ [way]: _, ...rest }) => rest);
              starting.mutate(way);
            }}
          />
        )}
      </div>
    </Dialog>
  );
}

function Pending({ signIn, onDone, onAnew }: { signIn: SignIn; onDone: () => void; onAnew: () => void }) {
  const { t } = useTranslation("channels");
  const { data } = useQuery(signInQuery(signIn));
  const left = Math.max(0, (Date.parse(data.expiresAt) - useNow()) / 1_000);
  const isOver = data.status === "EXPIRED" || data.status === "FAILED" || left === 0;
  useEffect(() => {
    if (data.status === "DONE") onDone();
  });
  if (isOver) {
    return (
      <div className="space-y-3">
        <p className="text-bad" role="alert">
          <span aria-hidden>✕ </span>
          {data.status === "FAILED" ? data.error : t("accounts.expired")}
        </p>
        <Button onClick={onAnew}>{t("accounts.anew")}</Button>
      </div>
    );
  }
  return (
    <div className="space-y-4">
      {data.userCode !== "" && (
        <div className="flex flex-wrap items-center gap-3">
          <output aria-label={t("accounts.code")} className="rounded-xl bg-sunken px-4 py-2 font-mono text-2xl tracking-widest">{data.userCode}</output>
          <CopyButton text={data.userCode} />
        </div>
      )}
      <a href={data.url} target="_blank" rel="noreferrer" className={looksOf("main")}>
        {t("accounts.open")}
      </a>
      <p className="text-soft" role="timer">
        {t("accounts.left", { time: duration(left) })}
      </p>
      {data.method === "BROWSER" && <CallbackForm signIn={data} />}
    </div>
  );
}

/** The browser ends at an address of its own machine; where that is not the gateway's, it is pasted here. */
function CallbackForm({ signIn }: { signIn: SignIn }) {
  const { t } = useTranslation("channels");
  const queries = useQueryClient();
  const [url, setURL] = useState("");
  const finishing = useMutation({
    mutationFn: () => finishSignIn(signIn.id, url.trim()),
    meta: { isTold: true },
    // Finished is not yet signed in: what came of it stands in its status.
    onSuccess: (told) => queries.setQueryData(signInQuery(signIn).queryKey, told),
  });
  const problem = problemOf(finishing.error, "callbackURL");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    finishing.mutate();
  };
  return (
    <form className="space-y-3" onSubmit={submit}>
      <TextField
        label={t("accounts.callback")}
        hint={t("accounts.callbackHint")}
        isMono
        required
        placeholder="http://localhost:1455/auth/callback?code=…"
        value={url}
        problem={problem}
        onChange={(event) => setURL(event.target.value)}
      />
      {finishing.isError && problem === undefined && <Failure error={finishing.error} />}
      <Button type="submit" isBusy={finishing.isPending}>
        {t("accounts.finish")}
      </Button>
    </form>
  );
}

function FileForm({ channelID, onDone }: { channelID: string; onDone: () => void }) {
  const { t } = useTranslation("channels");
  const [text, setText] = useState("");
  const importing = useMutation({ mutationFn: () => importAuth(channelID, text), meta: { isTold: true }, onSuccess: onDone });
  const problem = problemOf(importing.error, "authJSON");
  return (
    <form
      className="space-y-3"
      onSubmit={(event) => {
        event.preventDefault();
        importing.mutate();
      }}
    >
      <AreaField
        label={t("accounts.file")}
        isMono
        rows={8}
        required
        spellCheck={false}
        placeholder={'{ "tokens": { … } }'}
        value={text}
        problem={problem}
        onChange={(event) => setText(event.target.value)}
      />
      {importing.isError && problem === undefined && <Failure error={importing.error} />}
      <Button type="submit" look="main" isBusy={importing.isPending}>
        {t("accounts.import")}
      </Button>
    </form>
  );
}
