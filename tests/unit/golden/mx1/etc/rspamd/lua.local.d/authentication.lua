-- Does with mail what the domain in its From asks for (DMARC, RFC 7489 6.3).
--
-- rspamd's own module would refuse without a word on whose policy it was. For ARC it believes a chain
-- in which one sealer of several is trusted, though any later one may have changed the message.
local dmarc = require "plugins/dmarc"
local logger = require "rspamd_logger"
local regexp = require "rspamd_regexp"

local OWN = "angiang.gov.vn"
local SEALERS = { ["lists.example.org"] = true, ["example.net"] = true, }

-- Replies are ASCII (RFC 5321 4.2); the codes before them are rspamd's: 554 5.7.1, 451 4.7.1.
local FORGED = "Thu bi tu choi: khong chung thuc duoc la cua %s (DMARC)"
  .. " / Refused: not authenticated as %s, whose DMARC policy asks for that"
local SEVERAL = "Thu bi tu choi: nhieu nguoi gui (From) / Refused: more than one author in From (DMARC)"
local UNREADABLE = "Thu bi tu choi: dong nguoi gui (From) phai co mot dia chi dung mau"
  .. " / Refused: From must have one well-formed address (RFC 5322 3.6.2)"
local AGAIN = "Chua kiem tra duoc nguoi gui %s (DNS), xin gui lai sau"
  .. " / DNS does not say now who may send as %s (DMARC), try again later"

local function printable(domain)
  return (domain:gsub("[^%w._-]", "?"):sub(1, 100))
end

local function ours(domain)
  domain = domain:lower():gsub("%.+$", "")
  return domain == OWN or domain:sub(-#OWN - 1) == "." .. OWN
end

local function option(task, symbol, index)
  local found = task:get_symbol(symbol)
  return found and found[1].options and found[1].options[index] or ""
end

-- Did a trusted server see that the message was from its author? Every sealer has to be one, for the
-- last one vouches for nothing but the chain that he got.
local function vouched(task)
  local seals, said = task:cache_get("arc-seals"), task:cache_get("arc-authres")
  if not task:has_symbol("ARC_ALLOW") or not seals or not said or #said ~= #seals then
    return false
  end
  for i, seal in ipairs(seals) do
    if not SEALERS[(seal.d or ""):lower()] or tonumber(said[i].i) ~= i then
      return false
    end
  end
  for _, result in ipairs(said[1].ar or {}) do
    if result.dmarc == "pass" then
      return true
    end
  end
  return false
end

-- Octets of From: what is longer bears more than a name and an address, and Postfix cuts fields off.
local LONGEST = 4000
-- In letters of any script (RFC 6531), none that is not seen.
local DOMAIN = regexp.create([[/^[\p{L}\p{M}\p{N}_-]+(?:\.[\p{L}\p{M}\p{N}_-]+)*$/u]])

-- What stands in the fields that are From, as it came. With a blank before the colon (RFC 5322 4.5) they are
-- as well: Postfix takes it away before rspamd sees it.
local function authors(task)
  local found, headers = {}, "\n" .. tostring(task:get_raw_headers()):gsub("\r\n?", "\n"):gsub("\n([ \t])", "%1")
  for value in headers:gmatch("\n[Ff][Rr][Oo][Mm]:([^\n]*)") do
    found[#found + 1] = value
  end
  return found
end

-- One in which another program, which does not know encoded words, would find an address stays.
local function word(encoded)
  return encoded:find("@") and encoded:find("[,;:]") and encoded or "w"
end

-- Without what is no address: encoded words, what is quoted, comments; nil where one of them has no end.
-- A blank stays where a comment was: inside an address programs do not agree about it.
local function bare(value)
  local text = value:gsub("=%?[^?%s]+%?[bBqQ]%?[^?%s<>\"]*%?=", word):gsub("\\.", "w"):gsub('"[^"]*"', "w")
  local inner
  repeat
    text, inner = text:gsub("%([^()]*%)", " ")
  until inner == 0
  return not text:find('[()"]') and text or nil
end

-- The domain that everybody who reads this From finds in it, nil when programs may find another, or none.
local function readable(value)
  local text, only = #value <= LONGEST and bare(value), nil
  for at, domain, behind in (text or ""):gmatch("()@([^@%s<>,;:]*)%s*([^@]?)") do
    -- "an@so.vn <an@so.vn>" is written by many a program.
    domain = domain:lower()
    if text:find("^[%s<>,;:@]", at - 1) or at == 1 or behind == "." or not DOMAIN:match(domain)
      or (only and only ~= domain) then
      return nil
    end
    only = domain
  end
  return only
end

-- Bounces of some servers name nobody: "MAILER-DAEMON", "<>".
local function of_nobody(task, value)
  local sender = (task:get_from("smtp") or {})[1]
  return (not sender or sender.addr == "") and value:find("^%s*<?[%w._-]*>?%s*$")
    and value:find("%S")
end

-- Is there one From, and do all programs read there whom DMARC has judged?
local function clear(task, domain)
  local found = authors(task)
  if #found ~= 1 then
    return false
  end
  local read = readable(found[1])
  return read and read == domain:lower() or of_nobody(task, found[1])
end

-- Has DMARC come to a conclusion that asks for nothing?
local function judged(task)
  for _, symbol in ipairs({ "ALLOW", "SOFTFAIL" }) do
    if task:has_symbol("DMARC_POLICY_" .. symbol) then
      return true
    end
  end
  return task:has_symbol("DMARC_NA") or task:has_symbol("DMARC_BAD_POLICY")
end

local function verdict(task)
  local from = task:get_from("mime") or {}
  local domain = from[1] and from[1].domain or ""
  local asked, refused = nil, option(task, "DMARC_POLICY_REJECT", 1)
  local filed = option(task, "DMARC_POLICY_QUARANTINE", 1)
  local unknown = option(task, "DMARC_DNSFAIL", 1)
  if #from > 1 or (task:get_header_count("From") or 0) > 1 then
    return "reject", SEVERAL
  elseif not clear(task, domain) then
    return "reject", UNREADABLE
  elseif refused ~= "" or filed ~= "" then
    if vouched(task) then
      task:insert_result("DMARC_VOUCHED", 1.0)
      return
    elseif refused ~= "" then
      asked = printable(refused:match("^%S+"))
      return "reject", FORGED:format(asked, asked)
    end
    return "add header"
  elseif unknown ~= "" then
    asked = option(task, "DMARC_DNSFAIL", 2)
    if asked == "reject" or asked == "quarantine" or ours(domain) then
      return "soft reject", AGAIN:format(printable(domain), printable(domain))
    end
  elseif ours(domain) and not judged(task) then
    -- Whatever made the checks pass it over.
    return "soft reject", AGAIN:format(printable(domain), printable(domain))
  end
end

local id = rspamd_config:register_symbol({
  name = "AUTHENTICATION",
  type = "postfilter",
  priority = 5,
  group = "authentication",
  flags = "nostat",
  callback = function(task)
    local ip = task:get_from_ip()
    -- Officials have logged in, and danhba/senders has seen to their From. From this host come reports of
    -- DMARC, which nobody else submits.
    if task:get_metric_action() == "reject" or task:get_user() or (ip and ip:is_local()) then
      return
    end
    local action, message = verdict(task)
    if action then
      logger.messagex(task, "%s: %s: %s", task:get_queue_id(), action, message or "DMARC")
      -- Where it is only to be filed a worse verdict stands.
      local flags = action == "add header" and "least" or nil
      task:set_pre_result({ action = action, message = message, module = "authentication", flags = flags })
    end
  end,
})
rspamd_config:register_symbol({
  name = "DMARC_VOUCHED", type = "virtual", parent = id, group = "authentication", score = 0.0,
})

-- A report says what was done, and why it was not what the domain asked for (RFC 7489 7.2, Appendix C).
local plain = dmarc.dmarc_report
dmarc.dmarc_report = function(task, settings, data)
  if data.disposition == "none" or not vouched(task) then
    return plain(task, settings, data)
  end
  data.disposition, data.sampled_out = "none", true
  local row = plain(task, settings, data)
  return row and (row:gsub("^([^,]*,[^,]*,[^,]*,[^,]*),sampled_out", "%1,trusted_forwarder"))
end
rspamd_config:register_dependency("DMARC_CHECK", "ARC_CHECK")
