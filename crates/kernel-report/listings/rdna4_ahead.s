BB0:
	v_fmac_f32_e32 v1, v24, v28                                 ; 56023918
BB1:
	buffer_load_b128 v[16:19], v14, s[20:23], null offen        ; c405c07c 40802810 0000000e
	buffer_load_b128 v[20:23], v15, s[20:23], null offen        ; c405c07c 4080281c 0000000f
	ds_load_b128 v[24:27], v6                                   ; dbfc0000 18000006
	ds_load_b128 v[28:31], v7                                   ; dbfc0000 1c000007
	s_wait_dscnt 0x0                                            ; bfc60000
	v_fmac_f32_e32 v1, v24, v28                                 ; 56023918
	v_fmac_f32_e32 v2, v25, v29                                 ; 56043b19
	v_dual_fmac_f32 v3, v26, v30 :: v_dual_fmac_f32 v4, v27, v31 ; c8003d1a 03063f1b
	v_fmac_f32_e32 v1, v24, v29                                 ; 56023b18
	v_fmac_f32_e32 v2, v25, v28                                 ; 56043919
	v_add_nc_u32_e32 v14, 0x100, v14                            ; 4a1c1cff 00000100
	s_barrier_signal -1                                         ; be804ec1
	s_barrier_wait 0xffff                                       ; bf94ffff
	s_wait_loadcnt 0x1                                          ; bfc00001
	ds_store_b128 v9, v[16:19]                                  ; db7c0000 00001009
	s_wait_loadcnt 0x0                                          ; bfc00000
	ds_store_b128 v10, v[20:23]                                 ; db7c0000 0000140a
	s_cbranch_scc0 BB1                                          ; bfa1ff20
BB2:
	s_endpgm                                                    ; bfb00000
	(then repeated 13 times)
