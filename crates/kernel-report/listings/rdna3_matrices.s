BB0:
	s_mov_b32 s4, 0                                             ; be840080
BB1:
	buffer_load_b128 v[16:19], v14, s[20:23], 0 offen           ; e05c0000 8045100e
	ds_load_b128 v[24:27], v6                                   ; dbfc0000 18000006
	s_waitcnt lgkmcnt(0)                                        ; bf89fc07
	v_wmma_f32_16x16x16_f16 v[32:39], v[24:31], v[24:31], v[32:39] ; cc404020 1c823118
	s_waitcnt vmcnt(0)                                          ; bf8903f7
	v_wmma_f32_16x16x16_f16 v[40:47], v[24:31], v[24:31], v[40:47] ; cc404028 1ca23118
	ds_store_b128 v9, v[16:19]                                  ; db7c0000 00001009
	s_cbranch_scc0 BB1                                          ; bfa1ff20
BB2:
	v_fmac_f32_e32 v1, v24, v28                                 ; 56023918
	v_fmac_f32_e32 v2, v25, v29                                 ; 56043b19
	v_fmac_f32_e32 v3, v25, v29                                 ; 56063b19
	s_cbranch_scc0 BB2                                          ; bfa1ff20
BB3:
	s_endpgm                                                    ; bfb00000
