-- A message of very many parts is an attack on its reader: the time that Dovecot takes to tell a program
-- the structure of one grows with the square of them (10,000 parts: minutes, at each look).
local MOST = {{ parts }}

rspamd_config:register_symbol({
  name = "PARTS_TOO_MANY",
  type = "prefilter",
  group = "viruses",
  flags = "explicit_disable,ignore_passthrough,nostat",
  callback = function(task)
    local parts = task:get_parts()
    if parts and #parts > MOST then
      task:set_pre_result({
        action = "reject",
        message = "Thu bi tu choi: thu co qua nhieu phan / Refused: the message has too many parts",
        module = "parts",
      })
    end
  end,
})
