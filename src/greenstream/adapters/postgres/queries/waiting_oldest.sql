SELECT min(queued_at) FROM greenstream.waiting_file WHERE state <> 'running'
