SELECT watermark FROM greenstream.site
