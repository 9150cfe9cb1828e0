SELECT encode(meter_sha256, 'hex'), until FROM greenstream.erasure
