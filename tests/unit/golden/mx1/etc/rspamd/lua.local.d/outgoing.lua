-- Tells who counts what officials send (danhba/abuse) how much a message looks like spam. Nothing else
-- becomes of that score: who types in capitals is not refused. The header does not leave the edge, and
-- one that a client has written himself is taken away.
rspamd_config:register_symbol({
  name = "OUTGOING_SCORE",
  type = "idempotent",
  flags = "explicit_disable,ignore_passthrough,nostat",
  callback = function(task)
    if task:get_user() then
      local header, score = "X-Danhba-Score", task:get_metric_score()[1]
      task:set_milter_reply({
        remove_headers = { [header] = 0 },
        add_headers = { [header] = string.format("%.2f", score) },
      })
    end
  end,
})
