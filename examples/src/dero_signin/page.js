"use strict";

const $ = (id) => document.getElementById(id);
let about = null;
let challenge = null;
let timer = null;

// ---- talking to the server

async function call(method, path, body, type) {
  const headers = type ? { "Content-Type": type } : {};
  const response = await fetch(path, { method, body, headers, credentials: "same-origin" });
  if (response.status === 204) return null;
  const answer = await response.json();
  answer.status = response.status;
  return answer;
}

function trouble(lines) {
  $("trouble").textContent = lines.filter(Boolean).join("\n");
  $("trouble").hidden = $("trouble").textContent === "";
}

// Runs what a button does: one at a time, and nothing fails in silence.
function on(id, action) {
  $(id).addEventListener("click", async () => {
    $(id).disabled = true;
    trouble([]);
    try {
      await action();
    } catch (error) {
      trouble([`Something failed: ${error.message}`, "Is the server still running?"]);
    }
    $(id).disabled = false;
  });
}

// ---- the checks

function showChecks(checks, failure) {
  const items = checks.map(({ check, passed }) => {
    const [kind, sign, word] =
      passed === true ? ["passed", "\u2713", "passed"] : passed === false ? ["failed", "\u2717", "failed"] : ["open", "\u00b7", "not reached"];
    const item = document.createElement("li");
    item.className = kind;
    const mark = document.createElement("span");
    mark.className = "mark";
    mark.textContent = sign;
    mark.setAttribute("role", "img");
    mark.setAttribute("aria-label", word);
    const text = document.createElement("span");
    text.textContent = failure && kind === "open" ? `${check} (not reached)` : check;
    item.append(mark, text);
    if (passed === false && failure) {
      const why = document.createElement("span");
      why.className = "why";
      why.textContent = `${failure.text} (${failure.failed}). ${failure.what_to_do}`;
      item.append(why);
    }
    return item;
  });
  $("checks").replaceChildren(...items);
}

const noChecks = () => showChecks(about.checks.map((check) => ({ check, passed: null })));

// What a sign-in came to, by whichever way.
async function finished(answer) {
  if (answer.signed_in) {
    showChecks(answer.checks);
    forgetChallenge();
    $("pem").value = "";
    show(answer);
    return;
  }
  if (answer.checks && answer.checks.length) showChecks(answer.checks, answer);
  else noChecks();
  const failed = (answer.checks || []).find(({ passed }) => passed === false);
  trouble([failed ? `Not signed in. It failed at: ${failed.check}.` : `Not signed in: ${answer.text}.`, answer.what_to_do]);
}

// ---- who is signed in

function show(session) {
  const signedIn = Boolean(session && session.signed_in);
  $("signed-in").hidden = !signedIn;
  $("steps").hidden = signedIn;
  if (signedIn) {
    $("account").textContent = session.address;
    $("until").textContent = `On ${session.chain_id}, until ${new Date(session.ends * 1000).toLocaleString()}.`;
  }
}

on("sign-out", async () => {
  await call("POST", "/signout");
  noChecks();
  show(null);
});

// ---- 1. the challenge

function forgetChallenge() {
  challenge = null;
  clearInterval(timer);
  $("step-sign").hidden = $("step-paste").hidden = true;
}

function countDown() {
  const left = Math.floor((Date.parse(challenge.expires) - Date.now()) / 1000);
  $("left").textContent =
    left > 0 ? `It is open for ${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")} more.` : "Its time is over: get a new one.";
}

on("ask", async () => {
  const body = JSON.stringify({ address: $("address").value });
  const answer = await call("POST", "/challenge", body, "application/json");
  if (answer.failed) {
    trouble([`No challenge: ${answer.text}.`, answer.what_to_do]);
    return;
  }
  challenge = answer;
  noChecks();
  $("challenge").textContent = answer.challenge;
  $("base64").textContent = answer.challenge_base64;
  URL.revokeObjectURL($("save").href);
  $("save").href = URL.createObjectURL(new Blob([answer.challenge], { type: "text/plain" }));
  $("step-sign").hidden = $("step-paste").hidden = false;
  $("xswd-state").textContent = "";
  clearInterval(timer);
  timer = setInterval(countDown, 1000);
  countDown();
  $("step-sign").scrollIntoView({ block: "nearest" });
});

on("redirect", async () => {
  const answer = await call("POST", "/redirect");
  if (answer.failed) trouble([`No redirect: ${answer.text}.`, answer.what_to_do]);
  else location.assign(answer.url);
});

// ---- 2. signing

async function copy(text, button, label) {
  try {
    await navigator.clipboard.writeText(text);
    $(button).textContent = "Copied";
    setTimeout(() => ($(button).textContent = label), 1500);
  } catch {
    trouble(["The browser does not let this page copy.", "Select the text and copy it yourself: no line break at its end."]);
  }
}

on("copy", () => copy(challenge.challenge, "copy", "Copy the text"));
on("copy-base64", () => copy(challenge.challenge_base64, "copy-base64", "Copy the base64"));

// Asks a wallet on this machine. `parameter` and `read` differ between wallets.
function askWallet(parameter, read) {
  const say = (text) => ($("xswd-state").textContent = text);
  return new Promise((resolve) => {
    let socket;
    try {
      socket = new WebSocket("ws://localhost:44326/xswd");
    } catch (error) {
      say(`The browser refuses to connect: ${error.message}. Copy and paste instead.`);
      resolve(null);
      return;
    }
    let connected = false;
    const end = (text, result) => {
      if (text) say(text);
      socket.onclose = socket.onerror = socket.onmessage = null;
      socket.close();
      resolve(result ?? null);
    };
    say("Connecting. Look at the wallet.");
    socket.onopen = () => socket.send(JSON.stringify(about.xswd));
    socket.onerror = () => end("No wallet answers on port 44326: start it with XSWD, or copy and paste instead.");
    socket.onclose = () => end("The wallet closed the connection: allow this page there, or copy and paste instead.");
    socket.onmessage = ({ data }) => {
      let message;
      try {
        message = JSON.parse(data);
      } catch {
        end("The wallet's answer can't be read. Copy and paste instead.");
        return;
      }
      if (!connected) {
        if (message.accepted !== true) {
          end(`The wallet refused: ${message.message || "no reason given"}. Copy and paste instead.`);
          return;
        }
        connected = true;
        say("Connected. Approve the signature in the wallet.");
        socket.send(JSON.stringify({ jsonrpc: "2.0", id: "1", method: "SignData", params: parameter }));
      } else if (message.error) {
        end(`The wallet did not sign: ${message.error.message || "no reason given"}. Copy and paste instead.`);
      } else if (message.result !== undefined) {
        const signature = read(message.result);
        if (typeof signature === "string") end("Signed.", signature);
        else end("The wallet's answer has no signature in this form: try the other button, or copy and paste.");
      }
    };
  });
}

on("xswd", async () => {
  const signature = await askWallet(challenge.challenge_base64, (result) => result?.signature);
  if (signature !== null) await finished(await call("POST", "/signin", JSON.stringify({ signature }), "application/json"));
});

on("xswd-hologram", async () => {
  const pem = await askWallet({ data: challenge.challenge }, (result) => result?.result?.signature ?? result?.signature);
  if (pem !== null) await finished(await call("POST", "/signin", pem, "text/plain"));
});

// ---- 3. the signed message

on("sign-in", async () => {
  await finished(await call("POST", "/signin", $("pem").value, "text/plain"));
});

// ---- the beginning

async function start() {
  about = await call("GET", "/about");
  $("site").textContent = `${about.domain}, for accounts of ${about.chain_id}`;
  $("redirect").hidden = !about.redirect;
  noChecks();
  show(await call("GET", "/session"));
  const outcome = await call("POST", "/outcome");
  if (outcome) await finished(outcome);
}

start().catch((error) => trouble([`The page can't start: ${error.message}`, "Reload it when the server runs again."]));
