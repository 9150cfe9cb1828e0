UPDATE greenstream.site SET watermark = greatest(watermark, %(watermark)s)
